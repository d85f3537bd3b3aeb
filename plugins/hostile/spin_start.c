/* Never comes out of start. */
#define ON_START spin()
#include "hostile.h"
