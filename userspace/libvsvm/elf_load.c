// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * Loader for RV64 ELF shared objects. The file is not trusted: every offset is
 * checked, by libelf or here, before it is used.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gelf.h>
#include <libelf.h>

#include "elf_load.h"

#define SPAN_MAX (1ULL << 30)

#ifndef SHT_RELR
#define SHT_RELR 19
#endif

struct loader {
	Elf *elf;
	struct vsvm_module *module;
	size_t file_size;
	size_t num_phdrs;
	uint64_t page;
	/* Addresses of the file that the image covers; whole pages. */
	uint64_t low, high;
};

#define bad(...) vsvm_fail(-ENOEXEC, __VA_ARGS__)

static int check_header(const struct loader *ld)
{
	uint32_t float_abi;
	GElf_Ehdr eh;

	if (elf_kind(ld->elf) != ELF_K_ELF || !gelf_getehdr(ld->elf, &eh))
		return bad("not an ELF file");
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return bad("not a 64 bit little endian ELF file");
	if (eh.e_machine != EM_RISCV)
		return bad("not code for RISC-V (machine %u)", eh.e_machine);
	if (eh.e_type != ET_DYN)
		return bad("not position independent: link it with -shared");
	if (eh.e_flags & EF_RISCV_RVC)
		return bad("has compressed instructions: compile it with -march=rv64imafd");
	float_abi = eh.e_flags & EF_RISCV_FLOAT_ABI;
	if (float_abi == EF_RISCV_FLOAT_ABI_QUAD)
		return bad("uses quad precision registers: compile it with -mabi=lp64d");
	if (eh.e_flags & ~EF_RISCV_FLOAT_ABI)
		return bad("needs a feature that the GPU does not have (flags %#x)", eh.e_flags);
	return 0;
}

/* Walks the segments of type PT_LOAD; *index starts at 0. */
static bool next_load(const struct loader *ld, size_t *index, GElf_Phdr *ph)
{
	while (*index < ld->num_phdrs) {
		if (gelf_getphdr(ld->elf, (*index)++, ph) && ph->p_type == PT_LOAD)
			return true;
	}
	return false;
}

static uint64_t page_down(const struct loader *ld, uint64_t n)
{
	return n & ~(ld->page - 1);
}

static uint64_t page_up(const struct loader *ld, uint64_t n)
{
	return page_down(ld, n + ld->page - 1);
}

static int check_segments(struct loader *ld)
{
	bool executable = false;
	uint64_t end = 0;
	size_t i = 0;
	GElf_Phdr ph;

	if (elf_getphdrnum(ld->elf, &ld->num_phdrs))
		return bad("damaged program headers");
	while (i < ld->num_phdrs) {
		if (!gelf_getphdr(ld->elf, i++, &ph))
			return bad("damaged program headers");
		if (ph.p_type == PT_INTERP || ph.p_type == PT_TLS)
			return bad("is a program for a CPU, not a module for a GPU");
	}

	i = 0;
	while (next_load(ld, &i, &ph)) {
		if (ph.p_filesz > ph.p_memsz)
			return bad("a segment has more in the file than in memory");
		if (ph.p_offset > ld->file_size || ph.p_filesz > ld->file_size - ph.p_offset)
			return bad("a segment reaches beyond the end of the file");
		if (ph.p_vaddr > SPAN_MAX || ph.p_memsz > SPAN_MAX)
			return bad("a segment is too large or too far away");
		if (ph.p_memsz && page_down(ld, ph.p_vaddr) < end)
			return bad("segments overlap, share a page or are not in order");
		if (!ph.p_memsz)
			continue;
		if (!end)
			ld->low = page_down(ld, ph.p_vaddr);
		end = page_up(ld, ph.p_vaddr + ph.p_memsz);
		executable |= !!(ph.p_flags & PF_X);
	}
	if (!executable)
		return bad("has no executable segment");
	ld->high = end;
	return 0;
}

static int place_segments(const struct loader *ld, const uint8_t *image)
{
	struct vsvm_module *module = ld->module;
	size_t i = 0;
	GElf_Phdr ph;
	void *base;

	base = mmap(NULL, ld->high - ld->low, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (base == MAP_FAILED)
		return vsvm_fail(-ENOMEM, "no memory for a module of %llu bytes",
				 (unsigned long long)(ld->high - ld->low));
	module->base = base;
	module->size = ld->high - ld->low;
	/* Code is small: 2 MiB pages would only waste VRAM. */
	madvise(module->base, module->size, MADV_NOHUGEPAGE);

	while (next_load(ld, &i, &ph))
		if (ph.p_filesz)
			memcpy(module->base + (ph.p_vaddr - ld->low), image + ph.p_offset,
			       ph.p_filesz);
	return 0;
}

/* The loaded place of @size bytes at @addr of the file, or NULL. */
static uint8_t *place_of(const struct loader *ld, uint64_t addr, uint64_t size)
{
	if (addr < ld->low || addr > ld->high || size > ld->high - addr)
		return NULL;
	return ld->module->base + (addr - ld->low);
}

/* Address that a symbol of the file has in memory. */
static int symbol_address(const struct loader *ld, Elf_Scn *symtab, size_t index, uint64_t *out)
{
	GElf_Shdr sh;
	GElf_Sym sym;
	Elf_Data *data;

	if (!symtab || !gelf_getshdr(symtab, &sh) ||
	    (sh.sh_type != SHT_DYNSYM && sh.sh_type != SHT_SYMTAB))
		return bad("relocations without a symbol table");
	data = elf_getdata(symtab, NULL);
	if (!data || index > INT32_MAX || !gelf_getsym(data, index, &sym))
		return bad("a relocation names a symbol that does not exist");

	if (sym.st_shndx == SHN_UNDEF) {
		const char *name = elf_strptr(ld->elf, sh.sh_link, sym.st_name);

		if (GELF_ST_BIND(sym.st_info) != STB_WEAK && index)
			return bad("undefined symbol '%s'", name ? name : "?");
		*out = 0;
	} else if (sym.st_shndx == SHN_ABS) {
		*out = sym.st_value;
	} else {
		*out = (uintptr_t)ld->module->base - ld->low + sym.st_value;
	}
	return 0;
}

static int relocate_one(const struct loader *ld, Elf_Scn *symtab, const GElf_Rela *rela)
{
	uint32_t type = GELF_R_TYPE(rela->r_info);
	uint8_t *place = place_of(ld, rela->r_offset, sizeof(uint64_t));
	uint64_t value = 0;
	int err;

	if (type == R_RISCV_NONE)
		return 0;
	if (!place)
		return bad("a relocation is outside of all segments");
	switch (type) {
	case R_RISCV_RELATIVE:
		value = (uintptr_t)ld->module->base - ld->low + rela->r_addend;
		break;
	case R_RISCV_64:
	case R_RISCV_JUMP_SLOT:
		err = symbol_address(ld, symtab, GELF_R_SYM(rela->r_info), &value);
		if (err)
			return err;
		value += rela->r_addend;
		break;
	default: return bad("unknown relocation type %u", type);
	}
	memcpy(place, &value, sizeof(value));
	return 0;
}

static int relocate_section(const struct loader *ld, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Scn *symtab = elf_getscn(ld->elf, sh->sh_link);
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t i, count;

	if (!data || sh->sh_entsize != sizeof(Elf64_Rela) || sh->sh_size % sh->sh_entsize)
		return bad("damaged relocations");
	count = data->d_size / sh->sh_entsize;
	if (count > INT32_MAX)
		return bad("too many relocations");
	for (i = 0; i < count; i++) {
		GElf_Rela rela;
		int err;

		if (!gelf_getrela(data, i, &rela))
			return bad("damaged relocations");
		err = relocate_one(ld, symtab, &rela);
		if (err)
			return err;
	}
	return 0;
}

static int relocate(const struct loader *ld)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(ld->elf, scn))) {
		GElf_Shdr sh;
		int err;

		if (!gelf_getshdr(scn, &sh))
			return bad("damaged section headers");
		if (!(sh.sh_flags & SHF_ALLOC))
			continue;
		if (sh.sh_type == SHT_REL || sh.sh_type == SHT_RELR)
			return bad("has relocations of a kind that RISC-V modules do not use");
		if (sh.sh_type != SHT_RELA)
			continue;
		err = relocate_section(ld, scn, &sh);
		if (err)
			return err;
	}
	return 0;
}

/* Whether the instruction at @addr of the file is in an executable segment. */
static bool is_code(const struct loader *ld, uint64_t addr)
{
	size_t i = 0;
	GElf_Phdr ph;

	while (next_load(ld, &i, &ph))
		if ((ph.p_flags & PF_X) && addr >= ph.p_vaddr && addr - ph.p_vaddr < ph.p_memsz)
			return addr % 4 == 0;
	return false;
}

static int add_kernel(struct vsvm_module *module, const char *name, uint64_t entry)
{
	struct vsvm_kernel *kernels;

	kernels = reallocarray(module->kernels, module->num_kernels + 1, sizeof(*kernels));
	if (!kernels)
		return vsvm_fail(-ENOMEM, "out of memory");
	module->kernels = kernels;
	kernels[module->num_kernels].entry = entry;
	kernels[module->num_kernels].name = strdup(name);
	if (!kernels[module->num_kernels].name)
		return vsvm_fail(-ENOMEM, "out of memory");
	module->num_kernels++;
	return 0;
}

/* Kernels are the functions that the file exports. */
static int list_kernels(const struct loader *ld)
{
	uint64_t bias = (uintptr_t)ld->module->base - ld->low;
	Elf_Data *data = NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	size_t i, count;

	while ((scn = elf_nextscn(ld->elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_DYNSYM)
			break;
	if (scn)
		data = elf_getdata(scn, NULL);
	count = data ? data->d_size / sizeof(Elf64_Sym) : 0;
	for (i = 1; i < count && i <= INT32_MAX; i++) {
		const char *name;
		GElf_Sym sym;
		int err;

		if (!gelf_getsym(data, i, &sym))
			return bad("damaged symbol table");
		if (GELF_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF ||
		    GELF_ST_BIND(sym.st_info) == STB_LOCAL)
			continue;
		name = elf_strptr(ld->elf, sh.sh_link, sym.st_name);
		if (!name || !*name)
			return bad("damaged symbol names");
		if (!is_code(ld, sym.st_value))
			return bad("kernel '%.64s' is not in an executable segment", name);
		err = add_kernel(ld->module, name, bias + sym.st_value);
		if (err)
			return err;
	}
	if (!ld->module->num_kernels)
		return bad("exports no kernel: mark a function with VSVM_KERNEL");
	return 0;
}

static int protect_segments(const struct loader *ld)
{
	size_t i = 0;
	GElf_Phdr ph;

	while (next_load(ld, &i, &ph)) {
		uint64_t start = page_down(ld, ph.p_vaddr);
		uint64_t end = page_up(ld, ph.p_vaddr + ph.p_memsz);
		int prot = 0;

		if (!ph.p_memsz)
			continue;
		prot |= ph.p_flags & PF_R ? PROT_READ : 0;
		prot |= ph.p_flags & PF_W ? PROT_WRITE : 0;
		prot |= ph.p_flags & PF_X ? PROT_EXEC | PROT_READ : 0;
		if (mprotect(place_of(ld, start, 0), end - start, prot))
			return vsvm_fail(-errno, "cannot protect GPU code: %s", strerror(errno));
	}
	return 0;
}

int vsvm_elf_load(struct vsvm_module *module, const void *image, size_t size)
{
	struct loader ld = {
		.module = module,
		.file_size = size,
		.page = sysconf(_SC_PAGESIZE),
	};
	int err;

	elf_version(EV_CURRENT);
	/* libelf does not write to it: the file is opened for reading. */
	ld.elf = elf_memory((char *)(uintptr_t)image, size);
	if (!ld.elf)
		return bad("not an ELF file");

	err = check_header(&ld);
	if (!err)
		err = check_segments(&ld);
	if (!err)
		err = place_segments(&ld, image);
	if (!err)
		err = relocate(&ld);
	if (!err)
		err = list_kernels(&ld);
	if (!err)
		err = protect_segments(&ld);
	elf_end(ld.elf);
	return err;
}
