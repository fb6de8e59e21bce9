#!/bin/sh
# SPDX-License-Identifier: MIT
#
# make_faulty.sh FAULT_H OUTPUT OBJECT...: joins the library's objects into one in which each system
# call that FAULT_H lists is a call of fault_NAME (fault_calls.c).
set -eu
list=$1
output=$2
shift 2
names=$(sed -n 's/^    X(\([a-z0-9_]*\),.*/\1/p' "$list")
[ -n "$names" ]
for name in $names; do
    echo "$name fault_$name"
done >"$output.symbols"
ld -r -o "$output.joined" "$@"
objcopy --redefine-syms="$output.symbols" "$output.joined" "$output"
rm "$output.joined"
