/* Follows a wild pointer when it has to open. */
#define ON_OPEN *(volatile int *)16 = 1
#include "hostile.h"
