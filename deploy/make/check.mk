# The parts of `make check`; each part prints TAP, tests/count adds it up.
.PHONY: unit check
unit: build unit-build
	@tests/count $(foreach t,$(UNIT_BINS),./$t)
check: deps
	@$(MAKE) --no-print-directory unit
