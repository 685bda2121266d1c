// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_durably(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t n = strlen(text);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, n) != (ssize_t)n || fsync(fd))
		rc = errno ? -errno : -EIO;
	close(fd);
	return rc;
}

int td_boot_count(const char *dir, uint32_t *out)
{
	char path[256], temp[264], text[16] = "";
	unsigned long n = 0;
	ssize_t got;
	int fd, rc;

	snprintf(path, sizeof(path), "%s/boot", dir);
	snprintf(temp, sizeof(temp), "%s.new", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (got > 0)
			n = strtoul(text, NULL, 10);
	} else if (errno != ENOENT) {
		return -errno;
	}
	n = (n + 1) & 0xffffff;
	snprintf(text, sizeof(text), "%lu\n", n);
	rc = write_durably(temp, text);
	if (rc)
		return rc;
	if (rename(temp, path))
		return -errno;
	*out = n;
	return 0;
}
