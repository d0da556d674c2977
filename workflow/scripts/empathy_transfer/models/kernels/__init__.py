"""Small kernels in C for what torch is slow at in bf16: GELU, sums with layer norms, attention.

They compute on one thread of an x86-64 processor with AVX-512, attention with AMX. They are compiled once, where a C
compiler is found (see `kernel_library`); elsewhere torch's operators compute the same, more slowly.
"""
