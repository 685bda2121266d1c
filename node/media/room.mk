# media: the media thread: RTP, jitter buffers, timeslots.
ROOMS += media
media_SRCS := $(wildcard node/media/*.c)
media_USES := spanlib proto base
media_PKGS := jansson
