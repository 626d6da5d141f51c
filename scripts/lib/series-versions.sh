# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Does patches/series apply to every linux-source-6.12 there is? Sourced by scripts/series.

VERSIONS=$VSVM_BUILD/cache/linux-source
PACKAGE=linux-source-6.12

# apt in a throw-away state directory, with Debian 12's suites beside those of build/root, whose
# own configuration stays as it is.
APT=$VSVM_BUILD/series.apt

apt_config() {
	local list etc=/etc/apt/sources.list.d
	rm -rf "$APT"
	mkdir -p "$APT"/{lists/partial,cache/archives/partial,sources}
	cp "$etc/debian.sources" "$etc/security.sources" "$APT/sources/"
	for list in debian security; do
		sed 's/trixie/bookworm/g' "$etc/$list.sources" >"$APT/sources/bookworm-$list.sources"
	done
	sed -i 's/^\(Suites: bookworm \).*/& bookworm-backports/' \
		"$APT/sources/bookworm-debian.sources"
	cat >"$APT/apt.conf" <<-EOF
		Dir::State::lists "$APT/lists";
		Dir::Cache "$APT/cache";
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$APT/sources";
		APT::Sandbox::User "root";
	EOF
	APT_CONFIG=$APT/apt.conf apt-get update
}

# Every version, oldest first; the same one from two suites counts once.
find_versions() {
	APT_CONFIG=$APT/apt.conf apt-cache madison "$PACKAGE" | awk '{ print $3 }' | sort -Vu \
		>"$APT/versions"
	[[ -s $APT/versions ]]
}

# fetch VERSION: the package's file is kept in the cache; a second run needs no network.
fetch() {
	local deb
	deb=$(deb_of "$1")
	[[ ! -e $deb ]] || return 0
	mkdir -p "$VERSIONS/partial"
	(cd "$VERSIONS/partial" && APT_CONFIG=$APT/apt.conf apt-get download "$PACKAGE=$1")
	mv "$VERSIONS"/partial/*.deb "$deb"
}

deb_of() {
	echo "$VERSIONS/${PACKAGE}_${1//:/%3a}.deb"
}

# extract VERSION: the files that any patch of ours touches or asks for, and the Makefile.
extract() {
	local tree=$VERSIONS/$1 patch
	rm -rf "$tree"
	mkdir -p "$tree"
	{
		echo Makefile
		while IFS= read -r patch; do
			touched "$VSVM_TOP/patches/$patch"
		done < <(all_patches)
		sed -n 's/.* # unless \([^ ]*\) has .*/\1/p' "$VSVM_TOP/patches/series"
	} | sort -u | sed "s,^,$PACKAGE/," >"$VERSIONS/wanted"
	# The archive in the archive, of which most is skipped. A file that a version has not is
	# found by the patch that wants it.
	dpkg-deb --fsys-tarfile "$(deb_of "$1")" |
		tar -xO "./usr/src/$PACKAGE.tar.xz" |
		tar -xJ -C "$tree" --strip-components=1 -T "$VERSIONS/wanted" || true
	[[ -e $tree/Makefile ]] || { echo "no source in $(deb_of "$1")"; return 1; }
}

# applies VERSION: all patches for that tree, in a copy of it, in their order and without fuzz.
applies() {
	local tree=$VERSIONS/$1 patch count=0 skipped
	while IFS= read -r patch; do
		patch -d "$tree" -p1 --fuzz=0 --no-backup-if-mismatch -s -f \
			<"$VSVM_TOP/patches/$patch" || { echo "$patch does not apply to $1"; return 1; }
		count=$((count + 1))
	done < <(series "$tree.pristine")
	skipped=$(($(all_patches | wc -l) - count))
	echo "$count patches apply, $skipped not needed" >"$VERSIONS/result"
}

one_version() {
	fetch "$1"
	extract "$1"
	rm -rf "$VERSIONS/$1.pristine"
	cp -a "$VERSIONS/$1" "$VERSIONS/$1.pristine"
	applies "$1"
}

# One line a version; goes on after one that fails.
apply_all() {
	local version failed=0 count=0
	step series-apt "package lists of Debian 12 and 13" apt_config
	step series-versions "versions of $PACKAGE" find_versions
	while IFS= read -r version; do
		count=$((count + 1))
		if (step "series-apply-$version" "$version" one_version "$version"); then
			say "$version: $(<"$VERSIONS/result")"
		else
			failed=$((failed + 1))
		fi
		rm -rf "${VERSIONS:?}/$version" "$VERSIONS/$version.pristine"
	done <"$APT/versions"
	say "$((count - failed)) of $count versions"
	[[ $failed -eq 0 ]]
}
