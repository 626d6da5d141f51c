# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The steps of `make test` that run on both kernels. Sourced after common.sh.

# igt_on KIND SECONDS: the IGT tests on that kernel. Two nodes, for tests that move memory between
# them, but nothing that does so on its own.
igt_on() {
	"$VSVM_TOP/scripts/kernel" "$1"
	"$VSVM_TOP/scripts/igt"
	"$VSVM_TOP/scripts/userspace"
	VSVM_KERNEL=$1 "$VSVM_TOP/scripts/vm" --kernel "$1" --name "igt-$1" --time-limit "$2" \
		--append "numa=fake=2 numa_balancing=disable" -- \
		scripts/guest/leak-check igt-tests/run "build/results/igt-$1"
}

# memcg_v1_on KIND SECONDS: the IGT tests that need memory control groups of version 1.
memcg_v1_on() {
	"$VSVM_TOP/scripts/kernel" "$1"
	"$VSVM_TOP/scripts/igt"
	VSVM_KERNEL=$1 "$VSVM_TOP/scripts/vm" --kernel "$1" --name "memcg-v1-$1" \
		--time-limit "$2" -- scripts/guest/memcg-v1 scripts/guest/leak-check \
		igt-tests/run -l vsvm-memcg-v1 "build/results/memcg-v1-$1"
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
