/* Completes each command three times, and the last time otherwise. */
#define ON_OPEN \
    host->complete(host, cmd_id, TOLLHOUSE_OK, text("{\"state\":\"confirmed\"}")); \
    host->complete(host, cmd_id, TOLLHOUSE_REJECTED, text(""))
#include "hostile.h"
