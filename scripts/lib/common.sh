# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# What every script here shares: paths, progress lines, clear errors. Sourced, never run.

# The repository, and where generated things go. In build/root and in the guest it is /vsvm.
VSVM_TOP=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VSVM_BUILD=$VSVM_TOP/build
VSVM_ROOT=$VSVM_BUILD/root
VSVM_LOGS=$VSVM_BUILD/logs
VSVM_RESULTS=$VSVM_BUILD/results
# What is shared by all clones on this machine and survives `make clean`.
VSVM_CACHE=${VSVM_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vsvm}

# die SENTENCE: one clear sentence and exit 1. die2: the same for a wrong call or host, exit 2.
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

die2() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

# True when we already run inside build/root (or in the guest, whose root it is).
inside_root() {
	[[ -e /etc/vsvm-root ]]
}

need_root() {
	[[ $(id -u) -eq 0 ]] ||
		die2 "this needs root (chroot and mounts): run it as root, for instance with sudo"
}

# need_regex REGEX: an extended regular expression, or the script ends.
need_regex() {
	local rc=0
	grep -E -e "$1" </dev/null >/dev/null 2>&1 || rc=$?
	[[ $rc -le 1 ]] || die2 "'$1' is no extended regular expression"
}

# need_jobs N: a number of guests, or the script ends.
need_jobs() {
	[[ $1 =~ ^[1-9][0-9]?$ ]] || die2 "the number of guests is from 1 to 99, not '$1'"
}

# say TEXT: one progress line, with the time since the outermost script started.
VSVM_T0=${VSVM_T0:-$(date +%s)}
export VSVM_T0

say() {
	local t=$(($(date +%s) - VSVM_T0))
	printf '[%3d:%02d] %s\n' $((t / 60)) $((t % 60)) "$*"
}

# step NAME TEXT CMD...: run CMD with its output in build/logs/NAME.log; one line for it.
# On failure the script ends: with the sentence in $HINT, or the errors and the end of that log.
# Never call it as a condition (if, ||): bash would then go on after an error within CMD.
step() {
	local name=$1 text=$2 log rc=0 t0
	shift 2
	log=$VSVM_LOGS/$name.log
	mkdir -p "$VSVM_LOGS"
	say "$text ..."
	t0=$(date +%s)
	set +e
	(
		set -e
		"$@"
	) >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	if [[ $rc -ne 0 && -n ${HINT:-} ]]; then
		die "$HINT (see build/logs/$name.log)"
	fi
	if [[ $rc -ne 0 ]]; then
		say "$text: FAILED (status $rc); of build/logs/$name.log:"
		{
			head -n -15 "$log" | grep -E -A 5 'error:|undefined reference|^E: ' |
				head -n 40 || true
			echo ...
			tail -n 15 "$log"
		} | sed 's/^/    /'
		exit 1
	fi
	say "$text: done in $(($(date +%s) - t0)) s"
}

# lock NAME: one at a time of whatever NAME stands for, until unlock or the end of this script.
lock() {
	mkdir -p "$VSVM_BUILD"
	exec {lock_fd}>"$VSVM_BUILD/.lock-$1"
	if ! flock -n "$lock_fd"; then
		say "waiting for another $1 here to end ..."
		flock "$lock_fd"
	fi
}

unlock() {
	exec {lock_fd}>&-
}

# jobs: how many compilers at once.
jobs_wanted() {
	printf '%s\n' "${VSVM_JOBS:-$(nproc)}"
}
