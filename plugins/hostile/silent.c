/* Takes a command and never completes it. */
#define ON_OPEN return TOLLHOUSE_OK
#include "hostile.h"
