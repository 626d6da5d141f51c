# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What scripts/setup asks of the host. Sourced after common.sh.

# The host must be one on which build/root can be made and run.
check_host() {
	[[ $(uname -s) == Linux && $(uname -m) == x86_64 ]] ||
		die2 "this needs an x86_64 Linux host, and here is $(uname -s) on $(uname -m)"
	command -v unshare >/dev/null || die2 "this needs unshare (package util-linux)"
	command -v debootstrap >/dev/null || command -v apt-get >/dev/null ||
		die2 "this needs debootstrap, or apt-get to fetch it with, and the host has neither"
}

# need_disk N: N GB free where build/ is.
need_disk() {
	local free
	mkdir -p "$VSVM_BUILD"
	free=$(($(df --output=avail -k "$VSVM_BUILD" | tail -n 1) / 1000000))
	[[ $free -ge $1 ]] ||
		die "too little disk: build/ needs about $1 GB, and $VSVM_BUILD has $free GB free"
}

# host_mirror LABEL: where the host's apt gets Debian (or Debian-Security) from; nothing if
# the host is not Debian, so that debootstrap's own default is taken.
host_mirror() {
	if [[ $1 == Debian && -n ${VSVM_MIRROR:-} ]]; then
		printf '%s\n' "$VSVM_MIRROR"
		return
	fi
	command -v apt-get >/dev/null || return 0
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' "Label: $1" 2>/dev/null |
		head -n 1
}

# The host's own settings of how apt reaches its sources, for the tree's apt.
host_apt_settings() {
	command -v apt-config >/dev/null || return 0
	apt-config dump 2>/dev/null |
		grep -E '^Acquire::(http|https|ftp)::Proxy |^Acquire::Check-(Valid-Until|Date) ' || true
}

# fetch_debootstrap DIR: debootstrap, taken by apt-get into DIR without being installed. Its
# wget, which a small host may not have, can be stood in for by apt's own helper.
fetch_debootstrap() {
	local dir=$1 deb
	[[ -x $dir/run ]] && return
	rm -rf "$dir"
	mkdir -p "$dir/lists/partial" "$dir/debs" "$dir/bin" "$dir/tree"
	(
		cd "$dir/debs" || exit
		apt-get download debootstrap debian-archive-keyring || {
			# The host's lists may be empty: take lists of our own.
			apt-get -o Dir::State::lists="$dir/lists" update
			apt-get -o Dir::State::lists="$dir/lists" download \
				debootstrap debian-archive-keyring
		}
	)
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb --extract "$deb" "$dir/tree"
	done
	if ! command -v wget >/dev/null; then
		cat >"$dir/bin/wget" <<-'EOF'
			#!/bin/bash
			# wget [OPTION...] URL -O FILE, as debootstrap calls it.
			while [[ $# -gt 0 ]]; do
				case $1 in
				-O) file=$2; shift 2 ;;
				-*) shift ;;
				*) url=$1; shift ;;
				esac
			done
			exec /usr/lib/apt/apt-helper download-file "$url" "$file"
		EOF
		chmod 755 "$dir/bin/wget"
	fi
	cat >"$dir/run" <<-EOF
		#!/bin/bash
		export DEBOOTSTRAP_DIR='$dir/tree/usr/share/debootstrap'
		export PATH="\$PATH:$dir/bin"
		exec '$dir/tree/usr/sbin/debootstrap' \\
			--keyring='$dir/tree/usr/share/keyrings/debian-archive-keyring.gpg' "\$@"
	EOF
	chmod 755 "$dir/run"
}
