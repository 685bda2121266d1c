# The labs in front of a person, and what runs in labs.
.PHONY: run root lab-check fuzz
root:
	@[ $$(id -u) = 0 ] || { \
		echo "make: labs are network namespaces, which need root:" \
			"run it as root (sudo make $(MAKECMDGOALS))" >&2; \
		exit 1; }
run: root deps
	@$(MAKE) --no-print-directory $(JOBS) build
	@exec deploy/lab/tandem-lab run duplex

lab-check: root deps
	@$(MAKE) --no-print-directory $(JOBS) build
	@tests/count "+tests/lab/run"

# SEED=N FUZZ_SECONDS=N
fuzz: root deps
	@$(MAKE) --no-print-directory $(JOBS) VARIANT=asan build
	@tests/count "+tests/fuzz/run"

# PEER=kamailio BENCH_SCALE=0.2
.PHONY: bench
bench: root deps
	@$(MAKE) --no-print-directory $(JOBS) build
	@tests/bench/run
