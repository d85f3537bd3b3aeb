/* Emits what is no UTF-8, no JSON, and no event. */
#define ON_OPEN return refused_as_it_should(nonsense(), cmd_id)
static int nonsense(void);
#include "hostile.h"
static char deep[32 * 1024];
static int nonsense(void) {
    const char *const wrong[] = {"", "\xff\xfe", "{", "[]", "null", "{\"device\":\"gate-bad\"}", "{\"device\":1,\"topic\":2,\"body\":3}", deep};
    memset(deep, '[', sizeof deep - 1);
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (host->emit(host, text(wrong[i]), picture(NULL, 0)) != TOLLHOUSE_INVALID) return 0;
    return host->complete(host, text("\xff"), TOLLHOUSE_OK, text("")) == TOLLHOUSE_INVALID;
}
