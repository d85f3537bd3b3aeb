/* Emits events from two threads as fast as it can, for ever. */
#define ON_START in_a_thread(emit_for_ever), in_a_thread(emit_for_ever)
#include "hostile.h"
