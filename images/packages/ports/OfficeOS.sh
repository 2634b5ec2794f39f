#!/bin/sh
# Starts OfficeOS from the ports of Knulli, Batocera, ROCKNIX and their relatives, without PortMaster.
exec sh "$(cd "$(dirname "$0")" && pwd)/officeos/launch"
