/* Never comes out of its constructor. */
#define ON_LOAD spin()
#include "hostile.h"
