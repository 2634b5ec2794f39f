"""Boots a card through U-Boot and compares its first screen with that of our own image."""

import os
import shutil
import sys
import time

from machine import PATIENCE, Machine, Picture

image, out, firmware = sys.argv[1:]
golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "home-first.png")
with open(golden, "rb") as file:
    wanted = Picture.of_png(file.read())
os.chdir(out)
shutil.copyfile(image, "card.img")
machine = Machine(out, os.path.join(out, "card.img"), firmware=firmware)
try:
    end = time.monotonic() + 2 * PATIENCE
    while True:
        picture = machine.picture()
        if picture.without([(562, 6, 68, 30)]).same(wanted):
            break
        if time.monotonic() > end:
            with open("last.png", "wb") as file:
                file.write(picture.png())
            raise SystemExit(f"the app did not appear; {out}/last.png is what showed")
        time.sleep(0.5)
    print(f"The app's first screen shows {time.monotonic() - machine.started:.1f} s after power, by the vendor's boot chain.")
finally:
    machine.cut()
