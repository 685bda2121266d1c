# The labs in front of a person.
.PHONY: run root
root:
	@[ $$(id -u) = 0 ] || { \
		echo "make: labs are network namespaces, which need root:" \
			"run it as root (sudo make run)" >&2; exit 1; }
run: root deps
	@$(MAKE) --no-print-directory $(JOBS) build
	@exec deploy/lab/tandem-lab run duplex
