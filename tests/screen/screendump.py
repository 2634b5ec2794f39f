"""Writes a virtual machine's screen as a PPM: screendump.py QMP-SOCKET FILE."""

import json
import os
import socket
import sys


def main():
    path, picture = sys.argv[1:3]
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(path)
        lines = channel.makefile("rw")
        lines.readline()

        def ask(command, **arguments):
            json.dump({"execute": command, "arguments": arguments}, lines)
            lines.write("\n")
            lines.flush()
            while True:
                answer = json.loads(lines.readline())
                if "error" in answer:
                    sys.exit(answer["error"]["desc"])
                if "return" in answer:
                    return

        ask("qmp_capabilities")
        ask("screendump", filename=os.path.abspath(picture))


main()
