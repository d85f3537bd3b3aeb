/* Never comes out of create. */
#define ON_CREATE spin()
#include "hostile.h"
