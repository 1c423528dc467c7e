#include <malloc.h>

// sync_file_range(2): a GNU extension of <fcntl.h>, which Swift's module of glibc does not have.
int sync_file_range(int descriptor, long offset, long count, unsigned int flags);
#define CGLIBC_SYNC_FILE_RANGE_WRITE 2

// renameat2(2): a GNU extension of <stdio.h>, likewise.
int renameat2(
    int old_folder, const char *old_name, int new_folder, const char *new_name,
    unsigned int flags);
#define CGLIBC_RENAME_NOREPLACE 1

// memmem(3): a GNU extension of <string.h>, likewise. Linear in both lengths.
void *memmem(
    const void *text, unsigned long text_count, const void *wanted, unsigned long wanted_count);
