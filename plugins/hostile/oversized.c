/* Emits a picture of 3 MiB and an event of 64 KiB. */
#define ON_OPEN return refused_as_it_should(too_much(), cmd_id)
static int too_much(void);
#include "hostile.h"
static char big[3 * 1024 * 1024];
static int too_much(void) {
    const char *event = "{\"device\":\"gate-bad\",\"topic\":\"state/loop\",\"body\":{\"occupied\":true}}";
    tollhouse_text long_text = {big, 64 * 1024};
    memset(big, ' ', sizeof big);
    return host->emit(host, text(event), picture(big, sizeof big)) == TOLLHOUSE_INVALID &&
           host->emit(host, long_text, picture(NULL, 0)) == TOLLHOUSE_INVALID;
}
