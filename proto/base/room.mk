# base: errors, clock, log, loop, bounded queues. Uses nothing of ours.
ROOMS += base
base_SRCS := $(wildcard proto/base/*.c)
base_USES :=
base_PKGS := libqb
