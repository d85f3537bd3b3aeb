/* Has no start. */
#define START NULL
#include "hostile.h"
