/* Never comes out of destroy. */
#define ON_DESTROY spin()
#include "hostile.h"
