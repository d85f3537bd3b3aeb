/* Ignores every signal that it can, and never stops. */
#define ON_START for (int number = 1; number < 65; number++) signal(number, SIG_IGN)
#define ON_STOP for (;;) pause()
#include "hostile.h"
