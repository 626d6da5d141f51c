// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * usage: elf-test SAMPLE-MODULE
 *
 * The loader on a good module and on every kind of bad one. Needs no device.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "internal.h"

static unsigned char *good;
static size_t good_size;

/* A copy of the sample to damage. Exactly as large as said, for ASan. */
static unsigned char *copy_of_good(size_t size)
{
	unsigned char *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, good, size);
	return copy;
}

static Elf64_Ehdr *header(unsigned char *image)
{
	return (Elf64_Ehdr *)image;
}

static Elf64_Phdr *segment(unsigned char *image, uint32_t type, uint32_t flag)
{
	Elf64_Phdr *ph = (Elf64_Phdr *)(image + header(image)->e_phoff);
	int i;

	for (i = 0; i < header(image)->e_phnum; i++)
		if (ph[i].p_type == type && (ph[i].p_flags & flag))
			return &ph[i];
	abort();
}

static Elf64_Shdr *section(unsigned char *image, uint32_t type)
{
	Elf64_Shdr *sh = (Elf64_Shdr *)(image + header(image)->e_shoff);
	int i;

	for (i = 0; i < header(image)->e_shnum; i++)
		if (sh[i].sh_type == type && (sh[i].sh_flags & SHF_ALLOC))
			return &sh[i];
	abort();
}

static Elf64_Rela *relocation(unsigned char *image, uint32_t type)
{
	Elf64_Shdr *sh = section(image, SHT_RELA);
	Elf64_Rela *rela = (Elf64_Rela *)(image + sh->sh_offset);
	size_t i;

	for (i = 0; i < sh->sh_size / sizeof(*rela); i++)
		if (ELF64_R_TYPE(rela[i].r_info) == type)
			return &rela[i];
	abort();
}

/* Whether the loaded module has the pointer @value somewhere in its memory. */
static int has_pointer(const struct vsvm_module *module, uint64_t value)
{
	size_t i;

	for (i = 0; i + 8 <= module->size; i += 8)
		if (!memcmp(module->base + i, &value, 8))
			return 1;
	return 0;
}

static void test_good(void)
{
	const struct vsvm_kernel *first, *second, *none = NULL;
	struct vsvm_module *module;
	uint64_t base;

	check(!vsvm_module_load(good, good_size, &module));
	base = (uintptr_t)module->base;
	check(!vsvm_module_kernel(module, "first", &first));
	check(!vsvm_module_kernel(module, "second", &second));
	check(module->num_kernels == 2);
	check(first->entry >= base && first->entry < base + module->size);
	check(second->entry >= base && second->entry < base + module->size);
	check(first->entry != second->entry);
	check(has_pointer(module, second->entry));
	check(vsvm_module_kernel(module, "add_one", &none) == -ENOENT && !none);
	check(vsvm_module_kernel(module, "chosen", &none) == -ENOENT && !none);
	vsvm_module_unload(module);
	vsvm_module_unload(NULL);
}

/* Whatever registers floating point arguments are in, kernels have none. */
static void test_float_abi(void)
{
	static const uint32_t abis[] = {
		EF_RISCV_FLOAT_ABI_SOFT,
		EF_RISCV_FLOAT_ABI_SINGLE,
		EF_RISCV_FLOAT_ABI_DOUBLE,
	};
	size_t i;

	for (i = 0; i < sizeof(abis) / sizeof(abis[0]); i++) {
		unsigned char *image = copy_of_good(good_size);
		struct vsvm_module *module = NULL;

		header(image)->e_flags = abis[i];
		check(!vsvm_module_load(image, good_size, &module));
		vsvm_module_unload(module);
		free(image);
	}
}

/* Loads what @damage makes of the sample: -ENOEXEC, and @words say why. */
static void test_bad(void (*damage)(unsigned char *image), const char *words)
{
	unsigned char *image = copy_of_good(good_size);
	struct vsvm_module *module = NULL;

	damage(image);
	check(vsvm_module_load(image, good_size, &module) == -ENOEXEC);
	check(!module);
	if (!strstr(vsvm_error_message(), words)) {
		printf("expected '%s', got '%s'\n", words, vsvm_error_message());
		failed++;
	}
	vsvm_module_unload(module);
	free(image);
}

static void no_magic(unsigned char *image)
{
	image[0] = 0;
}

static void class_32(unsigned char *image)
{
	image[EI_CLASS] = ELFCLASS32;
}

static void big_endian(unsigned char *image)
{
	image[EI_DATA] = ELFDATA2MSB;
}

static void x86(unsigned char *image)
{
	header(image)->e_machine = EM_X86_64;
}

static void executable(unsigned char *image)
{
	header(image)->e_type = ET_EXEC;
}

static void compressed(unsigned char *image)
{
	header(image)->e_flags = EF_RISCV_RVC;
}

static void quad_float(unsigned char *image)
{
	header(image)->e_flags = EF_RISCV_FLOAT_ABI_QUAD;
}

static void other_flags(unsigned char *image)
{
	header(image)->e_flags |= 0x100;
}

static void interpreter(unsigned char *image)
{
	segment(image, PT_DYNAMIC, PF_R)->p_type = PT_INTERP;
}

static void big_file_size(unsigned char *image)
{
	Elf64_Phdr *ph = segment(image, PT_LOAD, PF_X);

	ph->p_filesz = ph->p_memsz + 1;
}

static void beyond_file(unsigned char *image)
{
	segment(image, PT_LOAD, PF_X)->p_offset = good_size;
}

static void offset_overflow(unsigned char *image)
{
	segment(image, PT_LOAD, PF_X)->p_offset = UINT64_MAX - 8;
}

static void huge_memory(unsigned char *image)
{
	segment(image, PT_LOAD, PF_W)->p_memsz = UINT64_MAX;
}

static void far_address(unsigned char *image)
{
	segment(image, PT_LOAD, PF_W)->p_vaddr = UINT64_MAX - 4096;
}

static void overlap(unsigned char *image)
{
	segment(image, PT_LOAD, PF_W)->p_vaddr = segment(image, PT_LOAD, PF_X)->p_vaddr;
}

static void no_code(unsigned char *image)
{
	segment(image, PT_LOAD, PF_X)->p_flags = PF_R;
}

static void no_segments(unsigned char *image)
{
	header(image)->e_phnum = 0;
}

static void segments_beyond(unsigned char *image)
{
	header(image)->e_phoff = good_size - 8;
}

static void relocation_outside(unsigned char *image)
{
	relocation(image, R_RISCV_RELATIVE)->r_offset = 1ULL << 40;
}

static void relocation_wraps(unsigned char *image)
{
	relocation(image, R_RISCV_RELATIVE)->r_offset = UINT64_MAX - 3;
}

static void relocation_type(unsigned char *image)
{
	relocation(image, R_RISCV_RELATIVE)->r_info = ELF64_R_INFO(0, R_RISCV_TLS_DTPMOD64);
}

static void relocation_symbol(unsigned char *image)
{
	relocation(image, R_RISCV_64)->r_info = ELF64_R_INFO(12345, R_RISCV_64);
}

static void relocation_table(unsigned char *image)
{
	section(image, SHT_RELA)->sh_link = 0;
}

static void relocation_size(unsigned char *image)
{
	section(image, SHT_RELA)->sh_entsize = 0;
}

static void relocation_rel(unsigned char *image)
{
	section(image, SHT_RELA)->sh_type = SHT_REL;
}

static Elf64_Sym *function(unsigned char *image)
{
	Elf64_Shdr *sh = section(image, SHT_DYNSYM);
	Elf64_Sym *sym = (Elf64_Sym *)(image + sh->sh_offset);
	size_t i;

	for (i = 1; i < sh->sh_size / sizeof(*sym); i++)
		if (ELF64_ST_TYPE(sym[i].st_info) == STT_FUNC)
			return &sym[i];
	abort();
}

static void undefined(unsigned char *image)
{
	Elf64_Shdr *sh = section(image, SHT_DYNSYM);
	Elf64_Sym *sym = (Elf64_Sym *)(image + sh->sh_offset);
	size_t i;

	for (i = 1; i < sh->sh_size / sizeof(*sym); i++)
		sym[i].st_shndx = SHN_UNDEF;
}

static void kernel_outside(unsigned char *image)
{
	function(image)->st_value = 1ULL << 40;
}

static void kernel_odd(unsigned char *image)
{
	function(image)->st_value += 2;
}

static void kernel_nameless(unsigned char *image)
{
	function(image)->st_name = UINT32_MAX;
}

static void no_symbols(unsigned char *image)
{
	section(image, SHT_DYNSYM)->sh_type = SHT_NOTE;
	section(image, SHT_RELA)->sh_type = SHT_NOTE;
}

static void no_sections(unsigned char *image)
{
	header(image)->e_shoff = 0;
	header(image)->e_shnum = 0;
	header(image)->e_shstrndx = 0;
}

static const struct {
	void (*damage)(unsigned char *image);
	const char *words;
} bad_ones[] = {
	{no_magic, "not an ELF file"},
	{class_32, ""},
	{big_endian, "not a 64 bit little endian"},
	{x86, "not code for RISC-V"},
	{executable, "not position independent"},
	{compressed, "compressed instructions"},
	{quad_float, "quad precision registers"},
	{other_flags, "flags 0x10"},
	{interpreter, "program for a CPU"},
	{big_file_size, "more in the file than in memory"},
	{beyond_file, "beyond the end of the file"},
	{offset_overflow, "beyond the end of the file"},
	{huge_memory, "too large or too far"},
	{far_address, "too large or too far"},
	{overlap, "overlap"},
	{no_code, "no executable segment"},
	{no_segments, "no executable segment"},
	{segments_beyond, ""},
	{relocation_outside, "outside of all segments"},
	{relocation_wraps, "outside of all segments"},
	{relocation_type, "unknown relocation type"},
	{relocation_symbol, "symbol that does not exist"},
	{relocation_table, "without a symbol table"},
	{relocation_size, "damaged relocations"},
	{relocation_rel, "of a kind"},
	{undefined, "undefined symbol"},
	{kernel_outside, "not in an executable segment"},
	{kernel_odd, "not in an executable segment"},
	{kernel_nameless, "damaged symbol names"},
	{no_symbols, "exports no kernel"},
	{no_sections, "exports no kernel"},
};

/* Whatever is left of a truncated file: an error, or a module that unloads. */
static void test_truncated(void)
{
	size_t size;

	for (size = 0; size < good_size; size++) {
		unsigned char *image = copy_of_good(size);
		struct vsvm_module *module = NULL;
		int err = vsvm_module_load(image, size, &module);

		check(err == -ENOEXEC || (!err && module));
		vsvm_module_unload(module);
		free(image);
	}
}

/* Headers, tables and symbols with random damage; always the same sequence. */
static void test_random(unsigned int rounds)
{
	uint64_t state = 1;

	while (rounds--) {
		unsigned char *image = copy_of_good(good_size);
		struct vsvm_module *module = NULL;
		int err, n;

		for (n = 0; n < 4; n++) {
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
			image[(state >> 33) % good_size] ^= 1U << (state >> 61);
		}
		err = vsvm_module_load(image, good_size, &module);
		check(err == -ENOEXEC || err == -ENOMEM || (!err && module));
		vsvm_module_unload(module);
		free(image);
	}
}

static void test_files(const char *path)
{
	struct vsvm_module *module = NULL;

	check(vsvm_module_load_file("/nonexistent", &module) == -ENOENT);
	check(strstr(vsvm_error_message(), "/nonexistent"));
	check(vsvm_module_load_file("/", &module) == -ENOEXEC);
	check(vsvm_module_load_file("/dev/null", &module) == -ENOEXEC);
	check(!module);
	check(!vsvm_module_load_file(path, &module));
	vsvm_module_unload(module);
}

static void read_sample(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file || fseek(file, 0, SEEK_END))
		abort();
	good_size = ftell(file);
	rewind(file);
	good = malloc(good_size);
	if (!good || fread(good, 1, good_size, file) != good_size)
		abort();
	fclose(file);
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc != 2)
		return 2;
	read_sample(argv[1]);
	test_good();
	test_float_abi();
	for (i = 0; i < sizeof(bad_ones) / sizeof(bad_ones[0]); i++)
		test_bad(bad_ones[i].damage, bad_ones[i].words);
	test_truncated();
	test_random(20000);
	test_files(argv[1]);
	free(good);
	printf("%d failed\n", failed);
	return !!failed;
}
