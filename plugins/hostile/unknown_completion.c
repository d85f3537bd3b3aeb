/* Completes commands that nobody gave it, and speaks for the devices of another lane. */
#define ON_OPEN \
    host->complete(host, text("nobody"), TOLLHOUSE_OK, text("")); \
    host->emit(host, text("{\"device\":\"gate-good\",\"topic\":\"state/loop\",\"body\":{\"occupied\":true}}"), picture(NULL, 0))
#include "hostile.h"
