# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Does every patch of the series build? Sourced by scripts/series, after the mails are made.

BUILD_TREE=$VSVM_BUILD/series.build

# take_series: the commits as they are now, so that new mails can be made meanwhile.
take_series() {
	rm -rf "$VSVM_BUILD/series.steps"
	mv "$SERIES_TREE" "$VSVM_BUILD/series.steps"
	SERIES_TREE=$VSVM_BUILD/series.steps
	git -C "$SERIES_TREE" tag -f series >/dev/null
}

# at COMMIT: brings $BUILD_TREE to a commit of $SERIES_TREE. Only what differs is written.
at() {
	local file
	if [[ ! -d $BUILD_TREE ]]; then
		rm -rf "$BUILD_TREE.new"
		cp -al "$PRISTINE" "$BUILD_TREE.new"
		mv "$BUILD_TREE.new" "$BUILD_TREE"
	fi
	git -C "$SERIES_TREE" checkout -q -f "$1"
	while IFS= read -r file; do
		if [[ -e $SERIES_TREE/$file ]]; then
			cmp -s "$SERIES_TREE/$file" "$BUILD_TREE/$file" && continue
			mkdir -p "$(dirname "$BUILD_TREE/$file")"
			cp --remove-destination "$SERIES_TREE/$file" "$BUILD_TREE/$file"
		else
			rm -f "${BUILD_TREE:?}/$file"
		fi
	done < <(git -C "$SERIES_TREE" ls-tree -r --name-only series)
}

# kmake NAME MAKE-ARG...: make in build/kernel-series-NAME.
kmake() {
	local O=$VSVM_BUILD/kernel-series-$1
	shift
	make -C "$BUILD_TREE" O="$O" HOSTCC='ccache gcc' -j"$(jobs_wanted)" "$@"
}

# configure NAME FRAGMENT MAKE-ARG...: base.config and more, in build/kernel-series-NAME. The
# lines of FRAGMENT must hold afterwards.
configure_series() {
	local name=$1 O=$VSVM_BUILD/kernel-series-$1 fragment=$2 line
	shift 2
	mkdir -p "$O"
	cp "$VSVM_TOP/kernel/base.config" "$O/base.config"
	printf '%s\n' "$fragment" >"$O/series.config"
	if ! cat "$O/base.config" "$O/series.config" "$BUILD_TREE/mm/Kconfig" |
		cmp -s - "$O/config.key"; then
		kmake "$name" "$@" tinyconfig
		(cd "$O" && "$BUILD_TREE/scripts/kconfig/merge_config.sh" -m -O "$O" .config \
			base.config series.config)
	fi
	kmake "$name" "$@" olddefconfig
	while IFS= read -r line; do
		[[ -n $line ]] || continue
		case $line in
		'# CONFIG_'*' is not set') ! grep -q "^${line:2:-11}=" "$O/.config" ;;
		*) grep -qxF "$line" "$O/.config" ;;
		esac || { echo "kconfig did not keep $line"; return 1; }
	done <<<"$fragment"
	cat "$O/base.config" "$O/series.config" "$BUILD_TREE/mm/Kconfig" >"$O/config.key"
}

# compile NAME MAKE-ARG...: with W=1; no warning about a file that is ours.
compile() {
	local name=$1 log=$VSVM_BUILD/kernel-series-$1/series.log ours
	shift
	ours=$(git -C "$SERIES_TREE" diff --name-only --diff-filter=A pristine HEAD)
	kmake "$name" W=1 "$@" 2>&1 | tee "$log"
	[[ ${PIPESTATUS[0]} -eq 0 ]] || return 1
	! grep -E '(warning|error):' "$log" | grep -F "${ours:-nothing of ours}"
}

GPU='CONFIG_STAGING=y
CONFIG_DRM_NOUVEAU=m
CONFIG_DRM_NOUVEAU_SVM=y
CONFIG_DRM_AMDGPU=m
CONFIG_HSA_AMD=y
CONFIG_HSA_AMD_SVM=y'
POWERPC='CONFIG_PPC64=y
CONFIG_PPC_BOOK3S_64=y
CONFIG_CPU_LITTLE_ENDIAN=y
CONFIG_PPC_PSERIES=y
CONFIG_VIRTUALIZATION=y
CONFIG_KVM_BOOK3S_64=y
CONFIG_KVM_BOOK3S_64_HV=y
CONFIG_PPC_UV=y'
X86=(ARCH=x86_64 "CC=ccache gcc")

# objects REVISION...: those of the files that git diff names, as far as base.config has them
# and this step of the series, too.
objects() {
	git -C "$SERIES_TREE" diff --name-only "$@" -- 'mm/*.c' 'fs/*.c' 'lib/*.c' 'drivers/pci/*.c' |
		while IFS= read -r file; do
			[[ ! -e $BUILD_TREE/$file ]] || echo "${file%.c}.o"
		done
}

# one_patch: the patch that $BUILD_TREE is at. All that the series touches is compiled, so what
# a patch does to the rest of it is seen; all of mm/ is compiled after the last.
one_patch() {
	local targets extra='' changed
	mapfile -t targets < <(objects pristine series)
	if grep -q vsvm/Kconfig "$BUILD_TREE/drivers/gpu/drm/Kconfig"; then
		targets+=(drivers/gpu/drm/vsvm/)
		extra='CONFIG_DRM_VSVM=m'
	fi
	configure_series base "$extra" "${X86[@]}"
	compile base "${X86[@]}" "${targets[@]}"

	changed=$(git -C "$SERIES_TREE" diff --name-only HEAD^ HEAD)
	targets=()
	[[ $changed != *nouveau_dmem.c* ]] || targets+=(drivers/gpu/drm/nouveau/nouveau_dmem.o)
	[[ $changed != *kfd_migrate.c* ]] ||
		targets+=(drivers/gpu/drm/amd/amdgpu/../amdkfd/kfd_migrate.o)
	if [[ ${#targets[@]} -gt 0 ]]; then
		variant gpu "$GPU" "${X86[@]}" "${targets[@]}"
	fi
	if [[ $changed == *book3s_hv_uvmem.c* ]]; then
		variant powerpc "$POWERPC" ARCH=powerpc CROSS_COMPILE=powerpc64le-linux-gnu- \
			"CC=ccache powerpc64le-linux-gnu-gcc" arch/powerpc/kvm/book3s_hv_uvmem.o
	fi
}

# variant NAME FRAGMENT MAKE-ARG...: this step of the series in another configuration. Of the
# arguments those with a = are variables, the others targets.
variant() {
	local vars=() arg
	for arg in "${@:3}"; do
		[[ $arg != *=* ]] || vars+=("$arg")
	done
	configure_series "$1" "$2" "${vars[@]}"
	compile "$1" "${@:3}"
}

build_all() {
	local commits commit n=0
	mapfile -t commits < <(git -C "$SERIES_TREE" rev-list --reverse pristine..series)
	for commit in "${commits[@]}"; do
		n=$((n + 1))
		at "$commit"
		step "series-build-$n" "$n/${#commits[@]} $(git -C "$SERIES_TREE" \
			log -1 --format=%s "$commit")" one_patch
	done
	at series

	step series-build-mm "all of mm/" variant base 'CONFIG_DRM_VSVM=m' "${X86[@]}" mm/ fs/proc/
	step series-build-no-thp "without TRANSPARENT_HUGEPAGE" variant no-thp \
		$'# CONFIG_TRANSPARENT_HUGEPAGE is not set\nCONFIG_DEVICE_PRIVATE=y' \
		"${X86[@]}" mm/ fs/proc/
	step series-build-no-private "without DEVICE_PRIVATE" variant no-private \
		$'# CONFIG_DEVICE_PRIVATE is not set\nCONFIG_ZONE_DEVICE=y\nCONFIG_TRANSPARENT_HUGEPAGE=y' \
		"${X86[@]}" mm/ fs/proc/ drivers/pci/p2pdma.o
	step series-build-no-device "without ZONE_DEVICE" variant no-device \
		$'# CONFIG_ZONE_DEVICE is not set\nCONFIG_TRANSPARENT_HUGEPAGE=y' \
		"${X86[@]}" mm/ fs/proc/
	step series-build-no-migration "without MIGRATION" variant no-migration \
		$'# CONFIG_MIGRATION is not set\n# CONFIG_COMPACTION is not set\n# CONFIG_NUMA is not set\n# CONFIG_MEMORY_HOTPLUG is not set\n# CONFIG_CMA is not set\n# CONFIG_TRANSPARENT_HUGEPAGE is not set\n# CONFIG_MEMORY_HOTREMOVE is not set' \
		"${X86[@]}" mm/ fs/proc/
	step series-build-i386 "for i386, without ARCH_ENABLE_THP_MIGRATION" variant i386 \
		$'CONFIG_TRANSPARENT_HUGEPAGE=y\n# CONFIG_64BIT is not set' \
		ARCH=i386 "CC=ccache gcc" mm/ fs/proc/
	step series-build-arm64 "for arm64" variant arm64 \
		$'CONFIG_DEVICE_PRIVATE=y\nCONFIG_TRANSPARENT_HUGEPAGE=y\nCONFIG_TEST_HMM=m' \
		ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- "CC=ccache aarch64-linux-gnu-gcc" \
		mm/ fs/proc/ lib/test_hmm.o
	say "every patch builds, and the series in all configurations"
}
