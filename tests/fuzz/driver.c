// SPDX-License-Identifier: Apache-2.0
// Runs one fuzz target over every file of its corpus, named after the program: fuzz_NAME reads
// tests/fuzz/corpus/NAME/. With arguments, runs over those files instead.
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    // Exactly n bytes on the heap, so that a sanitizer sees reads past the end.
    uint8_t *data = malloc(n > 0 ? n : 1);
    size_t got = fread(data, 1, n, f);
    fclose(f);
    LLVMFuzzerTestOneInput(data, got);
    free(data);
    return 0;
}

int
main(int argc, char *argv[])
{
    if (argc > 1) {
        int bad = 0;
        for (int i = 1; i < argc; i++) {
            bad |= run_file(argv[i]);
        }
        return bad;
    }
    const char *src = getenv("top_srcdir");
    const char *name = strrchr(argv[0], '/');
    name = name ? name + 1 : argv[0];
    name = !strncmp(name, "fuzz_", 5) ? name + 5 : name;
    char dir[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
    snprintf(dir, sizeof dir, "%s/tests/fuzz/corpus/%s", src ? src : ".", name);
    DIR *d = opendir(dir);
    if (!d) {
        fprintf(stderr, "%s: there is no corpus; add at least one file\n", dir);
        return 1;
    }
    int n = 0, bad = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
            bad |= run_file(path);
            n++;
        }
    }
    closedir(d);
    if (!n) {
        fprintf(stderr, "%s: the corpus is empty; add at least one file\n", dir);
        return 1;
    }
    printf("%s: %d inputs\n", name, n);
    return bad;
}
