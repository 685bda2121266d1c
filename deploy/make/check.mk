# The parts of `make check`; each part prints TAP, tests/count adds it up.
.PHONY: unit style check print-rooms compile
unit: build unit-build
	@tests/count $(foreach t,$(UNIT_BINS),./$t)

style:
	@$(MAKE) --no-print-directory build VARIANT=gcc
	@tests/count "+tests/style/check" tests/lab/selftest

# Compiled thrice: gcc and clang with warnings as errors, and clang with
# sanitizers, in which the unit tests run a second time.
compile:
	@$(MAKE) --no-print-directory $(JOBS) VARIANT=gcc build unit-build \
		sim-bugs-build
	@$(MAKE) --no-print-directory $(JOBS) VARIANT=clang build
	@$(MAKE) --no-print-directory $(JOBS) VARIANT=asan build unit-build

unit-of = $(patsubst %.c,./build/$1/%,$(UNIT_SRCS))
check: root deps
	@$(MAKE) --no-print-directory compile
	@tests/count $(call unit-of,gcc) $(call unit-of,asan) \
		$(SIM_CHECK) "+tests/style/check" tests/lab/selftest \
		"+tests/lab/run" "+tests/fuzz/run"

# kind|name|sources|uses|what its tests may use too; for tests/style
print-rooms:
	@$(foreach r,$(ROOMS),echo \
	"room|$r|$($r_SRCS)|$($r_USES)|$($r_TEST_USES)";) \
	$(foreach p,$(PROGRAMS),echo "program|$p|$($p_SRCS)|$($p_USES)|";)
