/* Never comes out of command. */
#define ON_OPEN spin()
#include "hostile.h"
