#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes ./configure; needed once after a checkout and after changes of configure.ac or *.mk.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux m4
exec autoreconf --install --force --warnings=no-portability
