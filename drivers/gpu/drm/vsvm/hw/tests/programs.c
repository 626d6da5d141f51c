// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (C) 2026 The vsvm developers
 */

#include "programs.h"

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t first_random(uint64_t id)
{
	return (id + 1) * 0x9e3779b97f4a7c15ULL;
}

/* Recursion, signed compares, loads and stores of 16 bits */
static void quicksort(int16_t *a, long low, long high)
{
	long i = low, j = high;
	int16_t pivot;

	if (low >= high)
		return;
	pivot = a[(low + high) / 2];
	while (i <= j) {
		while (a[i] < pivot)
			i++;
		while (a[j] > pivot)
			j--;
		if (i <= j) {
			int16_t swap = a[i];

			a[i++] = a[j];
			a[j--] = swap;
		}
	}
	quicksort(a, low, j);
	quicksort(a, i, high);
}

static void program_sort(struct program_args *args, uint64_t id)
{
	int16_t *a = (int16_t *)(args->out + id * PROGRAM_WORDS);
	uint64_t state = first_random(id);
	long i;

	for (i = 0; i < PROGRAM_WORDS * 4; i++)
		a[i] = (int16_t)next_random(&state);
	quicksort(a, 0, PROGRAM_WORDS * 4 - 1);
}

/* Arithmetic of 32 bits, rotations, bytes, misaligned words */
static uint32_t rotate(uint32_t x, unsigned int n)
{
	return x << n | x >> (32 - n);
}

struct unaligned {
	uint32_t word;
} __attribute__((__packed__));

static void program_hash(struct program_args *args, uint64_t id)
{
	uint64_t *out = args->out + id * PROGRAM_WORDS;
	uint8_t *bytes = (uint8_t *)out;
	uint32_t a = 0x67452301, b = 0xefcdab89, c = 0x98badcfe, d = 0x10325476;
	uint64_t state = first_random(id);
	unsigned int i;

	for (i = 0; i < PROGRAM_WORDS * 8; i++)
		bytes[i] = (uint8_t)(next_random(&state) >> 21);
	for (i = 0; i < PROGRAM_WORDS * 8 - 4; i++) {
		uint32_t w = ((struct unaligned *)(bytes + i))->word;
		uint32_t t = a + ((b & c) | (~b & d)) + w + 0x5a827999 * i;

		a = d;
		d = c;
		c = b;
		b += rotate(t, 1 + i % 31);
		((struct unaligned *)(bytes + i))->word = b ^ (uint32_t)((int32_t)a >> (i % 32));
	}
}

/* Multiplication to 128 bits, division and remainder of all kinds */
static uint64_t mulmod(uint64_t a, uint64_t b, uint64_t m)
{
	uint64_t r = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			r = (r + a) % m;
		a = a * 2 % m;
	}
	return r;
}

static void program_modular(struct program_args *args, uint64_t id)
{
	uint64_t *out = args->out + id * PROGRAM_WORDS;
	uint64_t state = first_random(id);
	unsigned int i;

	for (i = 0; i + 8 <= PROGRAM_WORDS; i += 8) {
		uint64_t a = next_random(&state), b = next_random(&state) >> i % 64;
		uint64_t m = (a ^ b) >> 2 | 1;

		out[i] = (uint64_t)(((unsigned __int128)a * b) >> 64);
		out[i + 1] = (uint64_t)(((__int128)(int64_t)a * (int64_t)b) >> 64);
		out[i + 2] = a / (b | 1);
		out[i + 3] = (uint64_t)((int64_t)a % ((int64_t)b | 1));
		out[i + 4] = (uint64_t)(int64_t)((int32_t)a / ((int32_t)(b >> 8) | 3));
		out[i + 5] = (uint32_t)a % ((uint32_t)b | 1);
		out[i + 6] = mulmod(a % m, b % m, m);
		out[i + 7] = (uint64_t)((int64_t)a < (int64_t)b) + (a < b) * 2u;
	}
}

/* A lock by compare and exchange, what it protects, and plain atomics */
static void program_lock(struct program_args *args, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		uint32_t free = 0;

		while (!__atomic_compare_exchange_n(&args->lock, &free, (uint32_t)id + 1, 0,
						    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			free = 0;
		args->shared[0]++;
		args->shared[1] += args->shared[0] & 3;
		__atomic_store_n(&args->lock, 0, __ATOMIC_RELEASE);
		__atomic_fetch_add(&args->out[0], id, __ATOMIC_RELAXED);
		__atomic_fetch_xor(&args->out[1], (id + 1) << i % 40, __ATOMIC_RELAXED);
	}
}

/* Both precisions: all of arithmetic, conversions, comparisons, classes by comparison */
static uint64_t bits(double x)
{
	uint64_t value;

	__builtin_memcpy(&value, &x, sizeof(value));
	return x == x ? value : 1;
}

static double polynomial(const float *c, unsigned int n, double x)
{
	double y = 0;

	while (n--)
		y = __builtin_fma(y, x, (double)c[n]);
	return y;
}

static void program_float(struct program_args *args, uint64_t id)
{
	static const float c[] = {1, 1, 1.0f / 2, 1.0f / 6, 1.0f / 24, 1.0f / 120};
	uint64_t *out = args->out + id * PROGRAM_WORDS;
	uint64_t state = first_random(id);
	float sum = 0;
	unsigned int i;

	for (i = 0; i + 8 <= PROGRAM_WORDS; i += 8) {
		int64_t n = (int64_t)next_random(&state) >> i % 64;
		double a = (double)n / ((double)(uint32_t)next_random(&state) + 1);
		double b = (double)(int32_t)next_random(&state) * 0x1p-20;
		float f = (float)a, g = (float)b;

		sum += f * g;
		out[i] = bits(a + b) ^ bits(a - b);
		out[i + 1] = bits(a * b);
		out[i + 2] = bits(a / b);
		out[i + 3] = bits(__builtin_sqrt(a < 0 ? -a : a));
		out[i + 4] = bits(polynomial(c, 6, b * 0x1p-12));
		out[i + 5] = bits((double)(f / g - sum));
		out[i + 6] = (uint64_t)(int64_t)(b * 1000) + (uint32_t)(int32_t)g;
		out[i + 7] = (a < b) + (f >= g) * 2 + (uint64_t)(a == (double)f) * 4 +
			     bits(a > b ? a : b) * 8;
	}
}

/* Calls of functions by pointers, with arguments of all kinds, and deep ones */
static double call_add(double a, double b, uint64_t n)
{
	return a + b * (double)(n & 3);
}

static double call_mix(double a, double b, uint64_t n)
{
	float f = (float)(a - b);

	return n & 1 ? (double)f : b - a;
}

static double call_deep(double a, double b, uint64_t n)
{
	return n % 16 ? call_deep(b, a + 1, n / 2) - a : b;
}

static double (*const calls[])(double, double, uint64_t) = {call_add, call_mix, call_deep};

static void program_calls(struct program_args *args, uint64_t id)
{
	uint64_t *out = args->out + id * PROGRAM_WORDS;
	uint64_t state = first_random(id);
	double x = (double)id;
	unsigned int i;

	for (i = 0; i < PROGRAM_WORDS; i++) {
		uint64_t n = next_random(&state);

		x = calls[n % 3](x, (double)(n >> 50), n >> 20);
		out[i] = bits(x);
	}
}

#ifdef __riscv
__attribute__((__section__(".entry"), __used__))
#endif
const program_fn programs[PROGRAM_COUNT] = {
	[PROGRAM_SORT] = program_sort,	     [PROGRAM_HASH] = program_hash,
	[PROGRAM_MODULAR] = program_modular, [PROGRAM_LOCK] = program_lock,
	[PROGRAM_FLOAT] = program_float,     [PROGRAM_CALLS] = program_calls,
};
