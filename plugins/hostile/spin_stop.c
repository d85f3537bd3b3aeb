/* Never comes out of stop. */
#define ON_STOP spin()
#include "hostile.h"
