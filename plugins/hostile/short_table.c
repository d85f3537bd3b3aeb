/* Its table says that it ends before its functions. */
#define STRUCT_SIZE 40
#include "hostile.h"
