# store: the site's configuration and what must outlive the cluster.
ROOMS += store
store_SRCS := $(wildcard cluster/store/*.c) $(B)/cluster/store/migrations.c
store_USES := proto base
store_PKGS := libpq sqlite3 yaml-0.1 libcrypto jansson

# the numbered SQL files, as strings
$(B)/cluster/store/migrations.c: deploy/sql/embed $(wildcard deploy/sql/*/*.sql)
	@mkdir -p $(@D)
	$(call say,SQL $@)
	$(Q)deploy/sql/embed >$@
$(B)/cluster/store/migrations.o: $(B)/cluster/store/migrations.c
	$(call say,CC $<)
	$(Q)$(CC) $(CFLAGS) $(TD_CFLAGS) -MMD -MP -c $< -o $@
