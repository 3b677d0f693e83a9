/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration file is opened here and handed over as a descriptor: who parses it has no
 * right to open it, or anything else. It is opened by its path each time, because editors
 * replace a file by renaming another over it.
 */
#ifndef BH_SUPERVISOR_CONFIGFILE_H
#define BH_SUPERVISOR_CONFIGFILE_H

/* A descriptor (close-on-exec) of the file, or -errno, told in the log. Never waits, whatever
 * kind of file it is. */
int bh_configfile_open(const char *path);

/* Opens the file and passes it over the supervision socket of bulkhead-config, which reads it
 * in place of the one before. 0 or -errno, told in the log. */
int bh_configfile_pass(const char *path, int sup_fd);

#endif
