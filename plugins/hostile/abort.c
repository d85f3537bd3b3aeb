/* Gives up when it has to open. */
#define ON_OPEN abort()
#include "hostile.h"
