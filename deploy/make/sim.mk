# The simulator. SEED= the first seed, SEEDS= how many, TRACE=1 tells the
# story of one, SIM_JOBS= processes.
.PHONY: sim sim-bugs sim-build sim-bugs-build
SEED ?= 1
SEEDS ?= 3000
SIM_JOBS ?= $(shell nproc)
SIM_RUN = $(B)/bin/tandem-sim --seed=$(SEED) --seeds=$(SEEDS)
sim: sim-build
	@$(if $(filter 1,$(TRACE)),$(SIM_RUN) --trace,\
		tests/count "+$(SIM_RUN) --jobs=$(SIM_JOBS)")

# BUG= only this one, SIM_BUGS=quick those that are found within seconds
sim-bugs: sim-bugs-build
	@tests/count "+$(B)/bin/tandem-sim-bugs --jobs=$(SIM_JOBS) --seed=$(SEED) \
		$(if $(BUG),--bug=$(BUG),--bugs=$(or $(SIM_BUGS),all))"
sim-build: $(B)/bin/tandem-sim
sim-bugs-build: $(B)/bin/tandem-sim-bugs
# for `make check`
SIM_CHECK = "+build/gcc/bin/tandem-sim --jobs=$(SIM_JOBS) --seeds=3000" \
	"+build/gcc/bin/tandem-sim-bugs --jobs=$(SIM_JOBS) --bugs=quick" \
	"build/asan/bin/tandem-sim --jobs=$(SIM_JOBS) --seeds=60"

# The same sources once more with TD_SIM, which compiles the deliberate bugs
# of cluster/bug.h and ha/lease_bug.h in; the product has none of it.
SIM_SRCS := $(wildcard tests/sim/*.c) \
	$(filter-out cluster/bus_cpg.c,$(wildcard cluster/*.c)) \
	$(filter-out ha/leasefile.c,$(wildcard ha/lease*.c)) \
	ha/plan.c
SIM_OBJS := $(patsubst %.c,$(B)/td_sim/%.o,$(SIM_SRCS))
SIM_LIBS := $(B)/libproto.a $(B)/libbase.a
$(SIM_OBJS): $(B)/td_sim/%.o: %.c | $(PROTO_H)
	@mkdir -p $(@D)
	$(call say,CC -DTD_SIM $<)
	$(Q)$(CC) $(CFLAGS) $(TD_CFLAGS) -DTD_SIM \
	  $(call pkg-cflags,$(call closure,cluster)) -MMD -MP -c $< -o $@
$(B)/bin/tandem-sim-bugs: $(SIM_OBJS) $(SIM_LIBS)
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(CC) $(TD_LDFLAGS) -o $@ $^ \
	  $(call pkg-libs,$(call closure,cluster)) -lm
