# sim: whole clusters in one process, by virtual time. From the product's own
# objects; deploy/make/sim.mk compiles it once more, with deliberate bugs.
PROGRAMS += tandem-sim
tandem-sim_SRCS := $(wildcard tests/sim/*.c)
tandem-sim_USES := ha cluster proto base
