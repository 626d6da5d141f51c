// SPDX-License-Identifier: MIT
/*
 * Copyright (C) 2026 The vsvm developers
 *
 * The runs as JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "report.h"

static const char *const size_names[DRM_VSVM_SIZE_CLASSES] = {"4K", "64K", "2M"};

static const char *const stage_names[DRM_VSVM_STAGES] = {
	[DRM_VSVM_STAGE_GPU_FAULT] = "gpu_fault",	[DRM_VSVM_STAGE_TO_VRAM] = "to_vram",
	[DRM_VSVM_STAGE_COPY_TO_VRAM] = "copy_to_vram", [DRM_VSVM_STAGE_BIND] = "bind",
	[DRM_VSVM_STAGE_CPU_FAULT] = "cpu_fault",	[DRM_VSVM_STAGE_TO_RAM] = "to_ram",
	[DRM_VSVM_STAGE_COPY_TO_RAM] = "copy_to_ram",
};

struct json {
	FILE *file;
	int depth;
	/* Whether the next value is the first of its object. */
	bool first;
};

static void key(struct json *json, const char *name)
{
	fprintf(json->file, "%s\n%*s\"%s\": ", json->first ? "" : ",", json->depth * 2, "", name);
	json->first = false;
}

static void open_object(struct json *json, const char *name)
{
	if (name)
		key(json, name);
	fputc('{', json->file);
	json->depth++;
	json->first = true;
}

static void close_object(struct json *json)
{
	json->depth--;
	if (json->first)
		fputc('}', json->file);
	else
		fprintf(json->file, "\n%*s}", json->depth * 2, "");
	json->first = false;
}

static void put_uint(struct json *json, const char *name, uint64_t value)
{
	key(json, name);
	fprintf(json->file, "%" PRIu64, value);
}

static void put_int(struct json *json, const char *name, int64_t value)
{
	key(json, name);
	fprintf(json->file, "%" PRId64, value);
}

static void put_bool(struct json *json, const char *name, bool value)
{
	key(json, name);
	fputs(value ? "true" : "false", json->file);
}

/* For userspace/run-example to fill in, after this program has ended. */
static void put_later(struct json *json, const char *name)
{
	key(json, name);
	fputs("null", json->file);
}

static void put_string(struct json *json, const char *name, const char *value)
{
	key(json, name);
	fputc('"', json->file);
	for (; *value; value++) {
		unsigned char c = *value;

		if (c == '"' || c == '\\')
			fprintf(json->file, "\\%c", c);
		else if (c < ' ')
			fprintf(json->file, "\\u%04x", c);
		else
			fputc(c, json->file);
	}
	fputc('"', json->file);
}

/* A table by order, without the orders that have nothing. */
static void put_orders(struct json *json, const char *name, const __u64 *table)
{
	char order[12];
	int i;

	open_object(json, name);
	for (i = 0; i < DRM_VSVM_ORDERS; i++) {
		snprintf(order, sizeof(order), "%d", i);
		if (table[i])
			put_uint(json, order, table[i]);
	}
	close_object(json);
}

static void put_sizes(struct json *json, const char *name, const __u64 *table)
{
	int i;

	open_object(json, name);
	for (i = 0; i < DRM_VSVM_SIZE_CLASSES; i++)
		put_uint(json, size_names[i], table[i]);
	close_object(json);
}

static void put_stages(struct json *json, const struct drm_vsvm_counters *counters)
{
	int stage, size;

	open_object(json, "stages");
	for (stage = 0; stage < DRM_VSVM_STAGES; stage++) {
		open_object(json, stage_names[stage]);
		for (size = 0; size < DRM_VSVM_SIZE_CLASSES; size++) {
			const struct drm_vsvm_stage *sum = &counters->stage[stage][size];

			if (!sum->count)
				continue;
			open_object(json, size_names[size]);
			put_uint(json, "count", sum->count);
			put_uint(json, "ns", sum->ns);
			put_uint(json, "bytes", sum->bytes);
			close_object(json);
		}
		close_object(json);
	}
	close_object(json);
}

/* The counters of code, arguments, result and tables: all that is not input. */
static void put_besides(struct json *json, const struct run *run)
{
	struct drm_vsvm_counters rest = run_besides_input(run);

	open_object(json, "besides_input");
	put_uint(json, "gpu_faults", counters_gpu_faults(&rest));
	put_uint(json, "cpu_faults", rest.cpu_faults);
	put_orders(json, "migrated_to_vram", rest.folios_to_vram);
	put_orders(json, "migrated_to_ram", rest.folios_to_ram);
	put_orders(json, "folio_free", rest.folios_freed);
	close_object(json);
}

static void put_residency(struct json *json, const char *name, const struct residency *residency)
{
	open_object(json, name);
	put_uint(json, "system", residency->system);
	put_uint(json, "system_huge", residency->system_huge);
	put_uint(json, "vram", residency->vram);
	put_uint(json, "vram_huge", residency->vram_huge);
	close_object(json);
}

static void put_run(struct json *json, const struct run *run)
{
	const struct drm_vsvm_counters *count = &run->phase[PHASE_COUNT].grown;
	const struct drm_vsvm_counters *read = &run->phase[PHASE_READ_INPUT].grown;
	struct drm_vsvm_counters both = *count;

	counters_add(&both, read);
	put_string(json, "result", !run->ended ? "failed" : run_correct(run) ? "correct" : "wrong");
	if (!run->ended)
		put_string(json, "error", run->error);
	put_uint(json, "bytes", run->bytes);
	put_uint(json, "gpu_faults", counters_gpu_faults(count));
	put_sizes(json, "gpu_faults_by_size", count->gpu_faults_served);
	put_uint(json, "gpu_faults_stale", count->gpu_faults_stale);
	put_uint(json, "cpu_faults", read->cpu_faults);
	put_orders(json, "migrated_to_vram", count->folios_to_vram);
	put_orders(json, "migrated_to_ram", read->folios_to_ram);
	put_orders(json, "folio_free", read->folios_freed);
	put_uint(json, "folios_split", both.folios_split);
	put_uint(json, "instructions", count->instructions);
	put_uint(json, "tlb_hits", count->tlb_hits);
	put_uint(json, "tlb_misses", count->tlb_misses);
	put_residency(json, "residency_before_job", &run->before_job);
	put_residency(json, "residency_after_job", &run->after_job);
	put_besides(json, run);
	put_stages(json, &both);
	open_object(json, "ns");
	put_uint(json, "gpu_job", run->phase[PHASE_COUNT].ns);
	put_uint(json, "read_back", run->phase[PHASE_READ_INPUT].ns);
	put_uint(json, "free", run->phase[PHASE_FREE].ns);
	close_object(json);
	put_uint(json, "leaks", run_leaked_pages(run));
	open_object(json, "leaks_by_account");
	put_int(json, "folio_pages", run->leaks.vram_pages);
	put_int(json, "vram_bytes", run->leaks.vram_bytes);
	put_int(json, "anon_kib", run->leaks.anon_kib);
	put_int(json, "page_table_kib", run->leaks.page_table_kib);
	close_object(json);
}

static void put_ratio(struct json *json, const char *name, double base, double huge)
{
	if (huge <= 0)
		return;
	key(json, name);
	fprintf(json->file, "%.2f", base / huge);
}

static void put_ratios(struct json *json, const struct run *huge, const struct run *base)
{
	const struct drm_vsvm_counters *hc = &huge->phase[PHASE_COUNT].grown;
	const struct drm_vsvm_counters *bc = &base->phase[PHASE_COUNT].grown;
	const struct drm_vsvm_counters *hr = &huge->phase[PHASE_READ_INPUT].grown;
	const struct drm_vsvm_counters *br = &base->phase[PHASE_READ_INPUT].grown;
	int i;

	open_object(json, "ratios");
	put_ratio(json, "gpu_faults", counters_gpu_faults(bc), counters_gpu_faults(hc));
	put_ratio(json, "cpu_faults", br->cpu_faults, hr->cpu_faults);
	for (i = 0; i < DRM_VSVM_STAGES; i++)
		put_ratio(json, stage_names[i], counters_stage(bc, i).ns + counters_stage(br, i).ns,
			  counters_stage(hc, i).ns + counters_stage(hr, i).ns);
	put_ratio(json, "gpu_job", base->phase[PHASE_COUNT].ns, huge->phase[PHASE_COUNT].ns);
	put_ratio(json, "read_back", base->phase[PHASE_READ_INPUT].ns,
		  huge->phase[PHASE_READ_INPUT].ns);
	close_object(json);
}

int report_json(const char *path, const char *name, const struct run *huge, const struct run *base,
		bool good)
{
	struct json json = {.file = fopen(path, "w")};
	int err;

	if (!json.file)
		return -errno;
	open_object(&json, NULL);
	put_string(&json, "input", name);
	put_bool(&json, "good", good);
	put_later(&json, "module_unloaded");
	put_later(&json, "dmesg_clean");
	if (huge) {
		put_run(&json, huge);
		put_bool(&json, "all_huge", run_all_huge(huge));
	}
	if (base) {
		open_object(&json, "base_pages");
		put_run(&json, base);
		close_object(&json);
	}
	if (huge && base)
		put_ratios(&json, huge, base);
	close_object(&json);
	fputc('\n', json.file);

	err = ferror(json.file) ? -EIO : 0;
	if (fclose(json.file) && !err)
		err = -errno;
	return err;
}
