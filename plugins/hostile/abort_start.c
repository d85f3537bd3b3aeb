/* Gives up in start, each time, before it was ever ready. */
#define ON_START abort()
#include "hostile.h"
