#!/bin/sh
# HELP: Chats, pictures and files with your own laptop, and no internet
# ICON: officeos
# GRID: OfficeOS

# muOS gives the folder of the application; older ones did not.
here=${1:-$(cd "$(dirname "$0")" && pwd)}
functions=${OFFICEOS_ROOT:-}/opt/muos/script/var/func.sh
# What muOS's own applications do first: newer ones have one function for it, older ones two.
if [ -f "$functions" ]; then
  . "$functions"
  echo app > "${OFFICEOS_ROOT:-}/tmp/act_go"
  if command -v SETUP_APP > /dev/null 2>&1; then
    SETUP_APP officeos-handheld ""
  else
    if command -v SETUP_SDL_ENVIRONMENT > /dev/null 2>&1; then SETUP_SDL_ENVIRONMENT; fi
    if command -v SET_VAR > /dev/null 2>&1; then SET_VAR system foreground_process officeos-handheld; fi
  fi
fi
exec sh "$here/officeos/launch"
