# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The kernel source tree build/linux = the pristine source + patches/series + our own files.
# Sourced after common.sh.

PRISTINE=$VSVM_BUILD/pristine
LINUX=$VSVM_BUILD/linux
STAGE=$VSVM_BUILD/stage

# The parts of the repository that stand at their path in the kernel's tree.
OVERLAY=(mm include lib drivers/gpu/drm/vsvm)

unpack_pristine() {
	local tar tmp=$PRISTINE.new key
	tar=$VSVM_ROOT/usr/src/linux-source-6.12.tar.xz
	key=$(stat -c '%s %Y' "$tar")
	[[ -e $PRISTINE.key && $(cat "$PRISTINE.key") == "$key" ]] && return
	rm -rf "$tmp" "$PRISTINE" "$PRISTINE.key" "$LINUX"
	mkdir -p "$tmp"
	tar -C "$tmp" -xf "$tar" --strip-components=1
	mv "$tmp" "$PRISTINE"
	echo "$key" >"$PRISTINE.key"
}

# series TREE: the patches for that tree in their order. A point
# release may have taken a change that an older one needs from us. What a tree has is looked
# for in the tree, for version numbers say nothing about it:
#	NAME.patch	# unless FILE has TEXT
series() {
	local tree=$1 patch rest file text
	[[ -e $VSVM_TOP/patches/series ]] || return 0
	while read -r patch rest; do
		[[ -n $patch && $patch != '#'* ]] || continue
		if [[ $rest == '# unless '*' has '* ]]; then
			rest=${rest#'# unless '}
			file=${rest%%' has '*}
			text=${rest#*' has '}
			! grep -qF -- "$text" "$tree/$file" || continue
		fi
		echo "$patch"
	done <"$VSVM_TOP/patches/series"
}

# all_patches: every patch of the series, whatever tree it is for.
all_patches() {
	sed -n -E 's/^([^#[:space:]]+).*/\1/p' "$VSVM_TOP/patches/series"
}

# touched PATCH: the files of the kernel that it changes, makes or removes.
touched() {
	sed -n -E 's,^(---|\+\+\+) [ab]/([^[:space:]]+).*,\2,p' "$1" | sort -u
}

overlay_files() {
	local dir
	for dir in "${OVERLAY[@]}"; do
		[[ ! -d $VSVM_TOP/$dir ]] || (cd "$VSVM_TOP" && find "$dir" -type f)
	done
}

# Makes build/stage: every file of the tree that is not as in the pristine source.
stage_tree() {
	local patch file
	rm -rf "$STAGE"
	mkdir -p "$STAGE"
	: >"$STAGE.files"
	while IFS= read -r patch; do
		[[ -e $VSVM_TOP/patches/$patch ]] ||
			{ echo "patches/series names $patch, which is not there"; return 1; }
		while IFS= read -r file; do
			echo "$file" >>"$STAGE.files"
			if [[ ! -e $STAGE/$file && -e $PRISTINE/$file ]]; then
				mkdir -p "$STAGE/${file%/*}"
				cp -p "$PRISTINE/$file" "$STAGE/$file"
			fi
		done < <(touched "$VSVM_TOP/patches/$patch")
		echo "$patch"
		patch -d "$STAGE" -p1 --fuzz=0 --no-backup-if-mismatch -s \
			<"$VSVM_TOP/patches/$patch"
	done < <(series "$PRISTINE")
	overlay_files >"$STAGE.overlay"
	rsync -a --files-from="$STAGE.overlay" "$VSVM_TOP/" "$STAGE/"
	cat "$STAGE.overlay" >>"$STAGE.files"
	sort -u -o "$STAGE.files" "$STAGE.files"
}

# Brings build/linux to that state. A file whose content stays keeps its time, so that only
# what changed is compiled again. Files are replaced, never written to: build/linux shares the
# unchanged ones with build/pristine by hard links.
sync_tree() {
	local file
	if [[ ! -d $LINUX ]]; then
		rm -rf "$LINUX.new" "$LINUX.files"
		cp -al "$PRISTINE" "$LINUX.new"
		mv "$LINUX.new" "$LINUX"
	fi
	touch "$LINUX.files"
	# What was ours the last time and is not now, or was removed by a patch.
	while IFS= read -r file; do
		[[ -e $STAGE/$file ]] && continue
		if [[ -e $PRISTINE/$file ]] && ! grep -qxF "$file" "$STAGE.files"; then
			cmp -s "$PRISTINE/$file" "$LINUX/$file" ||
				{ cp --remove-destination "$PRISTINE/$file" "$LINUX/$file"; }
		else
			rm -f "${LINUX:?}/$file"
		fi
	done < <(sort -u "$LINUX.files" "$STAGE.files")
	rsync -rl --checksum "$STAGE/" "$LINUX/"
	cp "$STAGE.files" "$LINUX.files"
}

# In a developer's own tree the driver is kept up to date, and nothing else is touched.
sync_into() {
	local dir
	for dir in drivers/gpu/drm/vsvm include/uapi/drm; do
		[[ -d $VSVM_TOP/$dir ]] || continue
		mkdir -p "$1/$dir"
		rsync -rl --checksum "$VSVM_TOP/$dir/" "$1/$dir/"
	done
}

make_tree() {
	if [[ -n ${VSVM_LINUX_SRC:-} ]]; then
		[[ -n ${VSVM_LINUX_AS_IS:-} ]] || sync_into "$LINUX"
		return
	fi
	unpack_pristine
	stage_tree
	sync_tree
}
