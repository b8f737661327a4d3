# SPDX-License-Identifier: Apache-2.0
dist_check_SCRIPTS += tests/unit/tools/check-pages
TESTS += tests/unit/tools/check-pages
