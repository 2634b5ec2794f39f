#!/bin/bash
# Starts OfficeOS from PortMaster's menus (https://portmaster.games/packaging.html gives the order of these steps). It reads the
# buttons itself, and Start with Select ends it, so that gptokeyb is not started.

XDG_DATA_HOME=${XDG_DATA_HOME:-$HOME/.local/share}

if [ -d "/opt/system/Tools/PortMaster/" ]; then
  controlfolder="/opt/system/Tools/PortMaster"
elif [ -d "/opt/tools/PortMaster/" ]; then
  controlfolder="/opt/tools/PortMaster"
elif [ -d "$XDG_DATA_HOME/PortMaster/" ]; then
  controlfolder="$XDG_DATA_HOME/PortMaster"
else
  controlfolder="/roms/ports/PortMaster"
fi
# Elsewhere only in tests.
controlfolder=${OFFICEOS_ROOT:-}$controlfolder

# Without PortMaster the port runs as well: it needs nothing of it but the manners.
if [ -f "$controlfolder/control.txt" ]; then
  source "$controlfolder/control.txt"
  [ -f "${controlfolder}/mod_${CFW_NAME}.txt" ] && source "${controlfolder}/mod_${CFW_NAME}.txt"
  get_controls
fi

GAMEDIR="${OFFICEOS_ROOT:-}/${directory:-roms}/ports/officeos"
# Where the ports lie elsewhere: beside this script.
[ -d "$GAMEDIR" ] || GAMEDIR="$(cd "$(dirname "$0")" && pwd)/officeos"
cd "$GAMEDIR" || exit 1

export SDL_GAMECONTROLLERCONFIG="$sdl_controllerconfig"

if type pm_platform_helper > /dev/null 2>&1; then pm_platform_helper "$GAMEDIR/officeos-handheld"; fi
# The log is officeos.log beside it.
sh "$GAMEDIR/launch"
status=$?
if type pm_finish > /dev/null 2>&1; then pm_finish; fi
exit $status
