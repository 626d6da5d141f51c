# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Building a meson project of the repository in build/root. Sourced after common.sh.

# meson_build NAME TEXT SOURCE [OPTION...]: SOURCE into build/NAME. The options count when it is
# set up for the first time.
meson_build() {
	local name=$1 text=$2 source=$3
	shift 3
	"$VSVM_TOP/scripts/setup"
	if [[ ! -e $VSVM_BUILD/$name/build.ninja ]]; then
		rm -rf "${VSVM_BUILD:?}/$name"
		step "$name-setup" "$text set up" "$VSVM_TOP/scripts/in-root" \
			meson setup "build/$name" "$source" "$@"
	fi
	step "$name" "$text" "$VSVM_TOP/scripts/in-root" ninja -C "build/$name"
}
