/* Goes on emitting from a thread when it has been stopped and destroyed. */
#define ON_STOP in_a_thread(emit_for_ever)
#define ON_DESTROY for (int i = 0; i < 1000; i++) host->log(host, TOLLHOUSE_LOG_INFO, text("still here"))
#include "hostile.h"
