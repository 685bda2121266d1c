# doc: what is made from the programs' own tables.
DOCS := $(B)/doc/tandem.1 $(B)/doc/tandem.bash
build: $(DOCS)

$(B)/doc/tandem.1: $(B)/bin/tandem
	@mkdir -p $(@D)
	$(call say,MAN $@)
	$(Q)$< help --man >$@
$(B)/doc/tandem.bash: $(B)/bin/tandem
	@mkdir -p $(@D)
	$(call say,DOC $@)
	$(Q)$< help --completion >$@
