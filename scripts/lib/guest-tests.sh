# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The steps of `make test` that run on both kernels. Sourced after common.sh.

# list_of STEP: the list of IGT tests that a step runs, or nothing. On the debug kernel that is
# all of them only if VSVM_TEST_ALL is set.
list_of() {
	case $1${VSVM_TEST_ALL:+-all} in
	igt-debug) echo vsvm-smoke ;;
	igt-base* | igt-debug-all) echo vsvm-full ;;
	igt-stress-*) echo vsvm-stress ;;
	memcg-v1-*) echo vsvm-memcg-v1 ;;
	suspend-*) echo vsvm-suspend ;;
	esac
}

# igt_step STEP KIND SECONDS [OPTION...]: the IGT tests of a step in guests with that kernel. Two
# nodes, for tests that move memory between them, but nothing that does so on its own.
# VSVM_FILTER, if set, says which tests, and VSVM_GUESTS in how many guests.
igt_step() {
	local name=$1 kind=$2 seconds=$3
	shift 3
	"$VSVM_TOP/scripts/kernel" "$kind"
	"$VSVM_TOP/scripts/igt"
	"$VSVM_TOP/scripts/userspace"
	"$VSVM_TOP/scripts/igt-guests" --kernel "$kind" --list "$(list_of "$name")" \
		--filter "${VSVM_FILTER:-}" --jobs "${VSVM_GUESTS:-1}" --time-limit "$seconds" \
		--append "numa=fake=2 numa_balancing=disable" "$@" "$name"
}

# igt_on KIND SECONDS: the IGT tests on that kernel. All of them take the debug kernel an hour.
# How long a test can run is for the long runs.
igt_on() {
	local seconds=$2
	unset VSVM_STRESS_SECONDS
	if [[ $(list_of "igt-$1") == vsvm-full && $1 == debug ]]; then
		seconds=7200
		export VSVM_TEST_TIMEOUT=${VSVM_TEST_TIMEOUT:-900}
	fi
	igt_step "igt-$1" "$1" "$seconds"
}

# memcg_v1_on KIND SECONDS: the IGT tests that need memory control groups of version 1.
memcg_v1_on() {
	igt_step "memcg-v1-$1" "$1" "$2" --under memcg-v1
}

# suspend_on KIND SECONDS: the IGT tests that suspend the machine, in a guest that survives it.
suspend_on() {
	"$VSVM_TOP/scripts/kernel" "$1"
	"$VSVM_TOP/scripts/igt"
	"$VSVM_TOP/scripts/vm" --kernel "$1" --name "suspend-$1" --time-limit "$2" \
		--ram build/igt/tests/vsvm/vsvm_suspend \
		-- scripts/guest/leak-check scripts/guest/suspend-tests
}

# stress_on KIND SECONDS: the IGT tests that can run for long, each as long as
# VSVM_STRESS_SECONDS; so many more seconds may they take in all.
stress_on() {
	local tests
	export VSVM_STRESS_SECONDS=${VSVM_STRESS_SECONDS:-120}
	[[ $VSVM_STRESS_SECONDS =~ ^[1-9][0-9]{0,4}$ ]] ||
		die2 "VSVM_STRESS_SECONDS is from 1 to 99999, not '$VSVM_STRESS_SECONDS'"
	export VSVM_TEST_TIMEOUT=${VSVM_TEST_TIMEOUT:-$((VSVM_STRESS_SECONDS * 10 + 600))}
	tests=$(grep -c '^igt@' "$VSVM_TOP/igt-tests/lists/$(list_of "igt-stress-$1").testlist")
	igt_step "igt-stress-$1" "$1" $(($2 + tests * VSVM_STRESS_SECONDS))
}

# hmm_on KIND SECONDS: the kernel's hmm-tests on that kernel, with memory set aside for two
# device-coherent devices. Without kmemleak: test_hmm of 6.12 never drops the reference to its
# own devices, which is a leak, but not of memory that moves.
hmm_on() {
	"$VSVM_TOP/scripts/kernel" "$1"
	"$VSVM_TOP/scripts/selftests"
	VSVM_KMEMLEAK=off "$VSVM_TOP/scripts/vm" --kernel "$1" --name "hmm-$1" --time-limit "$2" \
		--mem 4608M --append "memmap=512M\$0x140000000" -- \
		scripts/guest/leak-check scripts/guest/hmm-tests
}

# zone_device_on KIND SECONDS: pages of every type of ZONE_DEVICE on that kernel. Without kmemleak:
# the driver core of 6.12 forgets why the probe of an NVDIMM was put off.
zone_device_on() {
	"$VSVM_TOP/scripts/kernel" "$1"
	"$VSVM_TOP/scripts/selftests"
	VSVM_KMEMLEAK=off "$VSVM_TOP/scripts/vm" --kernel "$1" --name "zone-device-$1" \
		--time-limit "$2" \
		--nvme-cmb --pmem -- scripts/guest/leak-check scripts/guest/zone-device-tests
}

# kunit_on KIND SECONDS: the KUnit tests of mm on that kernel.
kunit_on() {
	"$VSVM_TOP/scripts/kernel" "$1"
	"$VSVM_TOP/scripts/vm" --kernel "$1" --name "kunit-$1" --time-limit "$2" -- \
		scripts/guest/leak-check scripts/guest/kunit migrate_device_kunit
}
