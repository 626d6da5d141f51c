# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The series as mails: made, and checked. Sourced by scripts/series.

MAILS=$VSVM_BUILD/series
# Git trees of the files that the series touches: one to make the mails, one to check them.
SERIES_TREE=$VSVM_BUILD/series.tree
SERIES_CHECK=$VSVM_BUILD/series.check

# Nobody's settings but ours.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_COMMITTER_NAME=vsvm GIT_COMMITTER_EMAIL=vsvm@localhost

# header NAME FILE: a header of a patch, unfolded.
header() {
	awk -v name="$1: " '
		/^$/ { exit }
		/^[ \t]/ { if (found) { sub(/^[ \t]+/, " "); printf "%s", $0 }; next }
		{ found = index($0, name) == 1 }
		found { printf "%s", substr($0, length(name) + 1) }
		END { print "" }' "$2"
}

# pristine_repo DIR: a new git tree of the pristine files that the patches touch.
pristine_repo() {
	local dir=$1 file
	rm -rf "$dir"
	mkdir -p "$dir"
	series "$PRISTINE" | sed "s,^,$VSVM_TOP/patches/," | xargs cat | touched /dev/stdin |
		while IFS= read -r file; do
		[[ ! -e $PRISTINE/$file ]] || echo "$file"
	done | rsync -a --files-from=- "$PRISTINE/" "$dir/"
	git -C "$dir" init -q
	git -C "$dir" config core.autocrlf false
	git -C "$dir" config gc.auto 0
	git -C "$dir" add -A -f
	GIT_AUTHOR_NAME=pristine GIT_AUTHOR_EMAIL=pristine@localhost \
		git -C "$dir" commit -q -m "linux-source-6.12"
	git -C "$dir" tag pristine
}

# commit_as FILE: commits all there is in $SERIES_TREE with author and text of a patch.
commit_as() {
	local info text=$SERIES_TREE/.git/text
	info=$(git -C "$SERIES_TREE" mailinfo -k "$text" /dev/null <"$1")
	{
		header Subject "$1" | sed 's/^\[PATCH\] //'
		echo
		cat "$text"
		echo
		echo "Origin: $(header Origin "$1")"
	} >"$text.full"
	git -C "$SERIES_TREE" add -A -f
	GIT_AUTHOR_NAME=$(sed -n 's/^Author: //p' <<<"$info") \
	GIT_AUTHOR_EMAIL=$(sed -n 's/^Email: //p' <<<"$info") \
	GIT_AUTHOR_DATE=${VSVM_SERIES_DATE:-Thu, 01 Jan 2026 00:00:00 +0000} \
		git -C "$SERIES_TREE" commit -q -F "$text.full"
	echo "$1"
}

# add_file FILE: a file of ours enters the tree.
add_file() {
	[[ ! -e $PRISTINE/$1 ]] ||
		{ echo "$1 is in the pristine source: only a patch may change it"; return 1; }
	mkdir -p "$SERIES_TREE/$(dirname "$1")"
	cp "$VSVM_TOP/$1" "$SERIES_TREE/$1"
}

# hooked FILE: does the Makefile beside it, or an #include in the tree, name it by now?
hooked() {
	local name=${1##*/} dir=${1%/*}
	case $name in
	*.c) [[ -e $SERIES_TREE/$dir/Makefile ]] &&
		grep -qwF "${name%.c}" "$SERIES_TREE/$dir/Makefile" ;;
	*.h) grep -rqE --include='*.[ch]' "#include [<\"]([a-z0-9/_]+/)?${name}[>\"]" "$SERIES_TREE" ;;
	*) return 1 ;;
	esac
}

# The files of ours that came with no patch yet, one a line.
pending=()

add_hooked() {
	local file left again=1
	while [[ $again -eq 1 ]]; do
		again=0
		left=()
		for file in "${pending[@]}"; do
			if hooked "$file"; then
				add_file "$file"
				again=1
			else
				left+=("$file")
			fi
		done
		pending=("${left[@]}")
	done
}

# entry_files ENTRY: the files that an entry of patches/files names. A directory's * reaches
# below it.
entry_files() {
	local pattern file patterns
	read -r -a patterns < <(header Files "$1")
	for pattern in "${patterns[@]}"; do
		for file in "${own[@]}"; do
			# shellcheck disable=SC2053
			[[ $file != $pattern ]] || echo "$file"
		done
	done
}

# add_entry ENTRY: a commit of the files of that entry that are not in the tree yet.
add_entry() {
	local file any=0
	while IFS= read -r file; do
		[[ ! -e $SERIES_TREE/$file ]] || continue
		add_file "$file"
		any=1
	done < <(entry_files "$1")
	[[ $any -eq 0 ]] || commit_as "$1"
}

documentation_files() {
	(cd "$VSVM_TOP" && find Documentation/mm Documentation/gpu -type f -name '*.rst' | sort)
}

# Commits the whole series to $SERIES_TREE and writes $MAILS from it.
write_mails() {
	local patch entry file before=() after=() claimed
	pristine_repo "$SERIES_TREE"
	mapfile -t own < <({ overlay_files; documentation_files; } | sort)
	claimed=$(for entry in "$VSVM_TOP"/patches/files/*; do entry_files "$entry"; done)
	mapfile -t pending < <(printf '%s\n' "${own[@]}" | grep -vxF "$claimed")

	# What has its place in the series, and what comes after it.
	for entry in "$VSVM_TOP"/patches/files/*; do
		file=$(header Before "$entry")
		if [[ -n $file ]]; then
			before+=("$file $entry")
		else
			after+=("$entry")
		fi
	done

	while IFS= read -r patch; do
		for entry in "${before[@]}"; do
			[[ $patch != *-"${entry%% *}".patch ]] || add_entry "${entry#* }"
		done
		patch -d "$SERIES_TREE" -p1 --fuzz=0 --no-backup-if-mismatch -s \
			<"$VSVM_TOP/patches/$patch"
		add_hooked
		commit_as "$VSVM_TOP/patches/$patch"
	done < <(series "$PRISTINE")
	for entry in "${after[@]}"; do
		add_entry "$entry"
	done
	for file in "${own[@]}"; do
		[[ -e $SERIES_TREE/$file ]] ||
			{ echo "no patch and no entry of patches/files adds $file"; return 1; }
	done

	rm -rf "$MAILS"
	GIT_AUTHOR_NAME=$(git -C "$SERIES_TREE" log -1 --format=%an) \
		git -C "$SERIES_TREE" -c user.name="The vsvm developers" \
		-c user.email=vsvm@localhost format-patch -q --numbered --zero-commit \
		--no-signature --cover-letter --cover-from-description=subject \
		--description-file="$VSVM_TOP/patches/cover" -o "$MAILS" pristine..HEAD
	# Not a .patch: git am of *.patch is to be the series.
	mv "$MAILS/0000-cover-letter.patch" "$MAILS/cover-letter"
}

# The mails on a fresh pristine tree are build/linux, and our documentation.
check_mails() {
	local file rc=0 want
	pristine_repo "$SERIES_CHECK"
	git -C "$SERIES_CHECK" am -q --whitespace=error-all "$MAILS"/*.patch
	while IFS= read -r file; do
		want=$LINUX/$file
		[[ $file != Documentation/* || -e $LINUX/$file ]] || want=$VSVM_TOP/$file
		cmp "$SERIES_CHECK/$file" "$want" || rc=1
	done < <(git -C "$SERIES_CHECK" ls-files)
	while IFS= read -r file; do
		[[ ! -e $LINUX/$file || -e $SERIES_CHECK/$file ]] ||
			{ echo "build/linux has $file, the series has not"; rc=1; }
	done <"$LINUX.files"
	return $rc
}
