# SPDX-License-Identifier: Apache-2.0
# A fuzz target: fuzz_NAME.c defines LLVMFuzzerTestOneInput; without --enable-fuzz, driver.c runs it over its corpus.
if ENABLE_FUZZ
FUZZ_DRIVER =
else
FUZZ_DRIVER = tests/fuzz/driver.c
endif
